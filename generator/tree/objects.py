"""The objects that are written for an environment, by the file that they stand in."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from generator import manifests
from generator.engine import argocd, flux, flux_reach
from generator.engine.argocd import CHART_FOLDER, GENERATED
from generator.engine.argocd_reach import ACCESS
from generator.kube.fields import name_of
from generator.kube.resource import Object
from generator.manifests import rbac
from generator.manifests.metadata import FLUX_GUARD
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
    found = beside(release, existing)
    ready = complete(release, existing)
    made = _for_flux if release.environment.engine == "flux" else _for_argocd
    return {
        **made(release, found, [*existing, *brought], ready),
        access_path(release.resolved.name): _access(release),
        **found,
    }


def _for_argocd(
    release: Release, found: Mapping[str, Any], people: Sequence[SecretFile], ready: bool
) -> dict[str, list[Object]]:
    folder = release.resolved.definition.folder
    paths = (*found, *(file.path for file in people))
    folders = {path.rpartition("/")[0].removeprefix(f"{folder}/") for path in paths}
    if release.resolved.settings.repository.chart.source == "rendered":
        folders.add(f"{GENERATED}/manifests/{CHART_FOLDER}")
    if release.environment.manifests:
        folders.add(MANIFESTS)
    application = argocd.application(release, complete=ready, folders=sorted(folders))
    return {f"{folder}/{GENERATED}/application.yaml": [application]}


def _for_flux(
    release: Release, found: Mapping[str, Any], people: Sequence[SecretFile], ready: bool
) -> dict[str, list[Object]]:
    before, _ = _in_order(release, found, people)
    return {
        flux.cluster_file(release): [*flux.in_cluster(release, before, complete=ready)],
        _release_file(release): [*flux.objects(release)],
    }


def _release_file(release: Release) -> str:
    return f"{release.resolved.definition.folder}/{flux.RELEASE}/release.yaml"


def kustomizations(
    release: Release, existing: Sequence[SecretFile], brought: Sequence[SecretFile] = ()
) -> dict[str, dict[str, Any]]:
    """The kustomization.yaml files of an environment by path; none unless Flux applies it."""
    if release.environment.engine != "flux":
        return {}
    found = beside(release, existing)
    return flux.kustomizations(release, *_in_order(release, found, [*existing, *brought]))


def _in_order(
    release: Release, found: Iterable[str], people: Sequence[SecretFile]
) -> tuple[set[str], set[str]]:
    """The files that Flux applies before the chart, and those that it applies with it."""
    folder = release.resolved.definition.folder
    late = {
        f"{GENERATED}/manifests/{item.name}.yaml" for item in manifests.ALL if not item.comes_first
    }
    after = {path for path in found if path.removeprefix(f"{folder}/") in late}
    before = {*found, *(file.path for file in people)} - after
    after |= {f"{folder}/{MANIFESTS}/{name}" for name in release.environment.manifests}
    return before, {*after, _release_file(release)}


def beside(release: Release, existing: Sequence[SecretFile]) -> dict[str, list[Object]]:
    """What the engine applies beside the chart, by path; a Secret as people sealed it."""
    folder = release.resolved.definition.folder
    found: dict[str, list[Object]] = {}
    for item in manifests.ALL:
        objects = item.objects(release)
        if item.sealed:
            found |= _sealed(release, objects, existing)
        elif objects:
            found[f"{folder}/{GENERATED}/manifests/{item.name}.yaml"] = list(objects)
    return found


def _sealed(
    release: Release, stubs: Sequence[Object], existing: Sequence[SecretFile]
) -> dict[str, list[Object]]:
    """Stubs for what is missing; keys added to what is there, and what keeps Flux from pruning."""
    folder = f"{release.resolved.definition.folder}/secrets"
    guard = FLUX_GUARD if release.environment.engine == "flux" else {}
    by_name = {file.name: file for file in existing}
    found: dict[str, list[Object]] = {}
    for stub in stubs:
        name = name_of(stub)
        file = by_name.get(name)
        if file is None:
            found[f"{folder}/{name}.yaml"] = [stub]
        else:
            keys = sealed_secret.encrypted_data(stub)
            grown = sealed_secret.add_missing(file.manifest, keys)
            found[file.path] = [sealed_secret.annotated(grown, guard) if guard else grown]
    return found


def complete(release: Release, existing: Sequence[SecretFile]) -> bool:
    """Whether every Secret that git brings is sealed, so that the release may sync by itself."""
    by_name = {file.name: file for file in existing}
    return all(_sealed_whole(by_name.get(need.name), need.key_names) for need in release.sealed)


def _sealed_whole(file: SecretFile | None, keys: Collection[str]) -> bool:
    if file is None or not file.complete:
        return False
    return set(keys) <= set(sealed_secret.encrypted_data(file.manifest))


def access_path(name: str) -> str:
    """The file with the roles of an environment's verification."""
    return f"{ACCESS}/{name}.yaml"


def access_of(path: str) -> str:
    """The environment whose roles, or whose Kustomizations, a file holds; else nothing."""
    inside = path.removeprefix(f"{ACCESS}/")
    return flux_reach.environment_of(path) if inside == path else inside.removesuffix(".yaml")


def _access(release: Release) -> list[Object]:
    """Roles for `verify` and the service: in the environment's namespace, and in the engine's."""
    app = release.application
    settings = release.resolved.settings.repository
    wanted = [way.kind for way in release.environment.entrances]
    here = rbac.environment_rules(release.environment.namespace, wanted=wanted)
    if release.environment.engine == "flux":
        there = flux.access(app, settings)
    else:
        there = rbac.hub_rules(settings.argocd.namespace, [app])
    return [
        *rbac.role_manifests(here, rbac.GEN_ENV),
        *rbac.role_manifests(there, rbac.GEN_ENV, name=f"{rbac.NAME}-{app}"),
    ]
