"""The objects that are written for an environment, by the file that they stand in."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from generator import manifests
from generator.engine import argocd
from generator.engine.argocd import CHART_FOLDER, GENERATED
from generator.engine.argocd_reach import ACCESS
from generator.kube.fields import name_of
from generator.kube.resource import Object
from generator.manifests import rbac
from generator.release.release import Release
from generator.seal import sealed_secret

MANIFESTS = "manifests"
"""Folder of the objects that a team brings."""


@dataclasses.dataclass(frozen=True, slots=True)
class SecretFile:
    """One file below secrets/: its path, its text, and the objects in it by name."""

    path: str
    text: str
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The Secret's name."""
        return str((self.manifest.get("metadata") or {}).get("name") or "")

    @property
    def complete(self) -> bool:
        """Whether every key in it is sealed."""
        data = sealed_secret.encrypted_data(self.manifest)
        states = sealed_secret.state(self.manifest, data).values()
        return all(state is sealed_secret.State.SEALED for state in states)


def written(
    release: Release, existing: Sequence[SecretFile], brought: Sequence[SecretFile] = ()
) -> dict[str, list[Object]]:
    """Every object that is written for an environment but the chart's, by path.

    `brought` are objects of other kinds that people keep in secrets/.
    """
    folder = release.resolved.definition.folder
    ready = complete(release, existing)
    found = beside(release, existing)
    paths = (*found, *(file.path for file in (*existing, *brought)))
    folders = {path.rpartition("/")[0].removeprefix(f"{folder}/") for path in paths}
    if release.resolved.settings.repository.chart.source == "rendered":
        folders.add(f"{GENERATED}/manifests/{CHART_FOLDER}")
    if release.environment.manifests:
        folders.add(MANIFESTS)
    application = argocd.application(release, complete=ready, folders=sorted(folders))
    return {
        f"{folder}/{GENERATED}/application.yaml": [application],
        access_path(release.resolved.name): _access(release),
        **found,
    }


def beside(release: Release, existing: Sequence[SecretFile]) -> dict[str, list[Object]]:
    """What Argo CD applies beside the chart, by path; a Secret as people sealed it."""
    folder = release.resolved.definition.folder
    found: dict[str, list[Object]] = {}
    for item in manifests.ALL:
        objects = item.objects(release)
        if item.sealed:
            found |= _sealed(objects, existing, f"{folder}/secrets")
        elif objects:
            found[f"{folder}/{GENERATED}/manifests/{item.name}.yaml"] = list(objects)
    return found


def _sealed(
    stubs: Sequence[Object], existing: Sequence[SecretFile], folder: str
) -> dict[str, list[Object]]:
    """Stubs for what is missing; keys added to what is there."""
    by_name = {file.name: file for file in existing}
    found: dict[str, list[Object]] = {}
    for stub in stubs:
        name = name_of(stub)
        file = by_name.get(name)
        if file is None:
            found[f"{folder}/{name}.yaml"] = [stub]
        else:
            keys = sealed_secret.encrypted_data(stub)
            found[file.path] = [sealed_secret.add_missing(file.manifest, keys)]
    return found


def complete(release: Release, existing: Sequence[SecretFile]) -> bool:
    """Whether every Secret that the release needs is sealed, so that it may sync by itself."""
    if release.environment.secrets.provider != "sealed-secrets":
        return True
    by_name = {file.name: file for file in existing}
    return all(_sealed_whole(by_name.get(need.name), need.key_names) for need in release.needs)


def _sealed_whole(file: SecretFile | None, keys: Collection[str]) -> bool:
    if file is None or not file.complete:
        return False
    return set(keys) <= set(sealed_secret.encrypted_data(file.manifest))


def access_path(name: str) -> str:
    """The file with the roles of an environment's verification."""
    return f"{ACCESS}/{name}.yaml"


def access_of(path: str) -> str:
    """The environment whose roles a file holds, or nothing for any other path."""
    inside = path.removeprefix(f"{ACCESS}/")
    return "" if inside == path else inside.removesuffix(".yaml")


def _access(release: Release) -> list[Object]:
    """Roles for `verify` and the service: in the environment's namespace, and in Argo CD's."""
    app = release.application
    hub = release.resolved.settings.repository.argocd.namespace
    here = rbac.environment_rules(release.environment.namespace)
    there = rbac.hub_rules(hub, [app])
    return [
        *rbac.role_manifests(here, rbac.GEN_ENV),
        *rbac.role_manifests(there, rbac.GEN_ENV, name=f"{rbac.NAME}-{app}"),
    ]
