"""What governs an environment from outside its folder: AppProject, Kustomizations, roles."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition.definition import ROOT, Settings
from generator.engine import flux_reach
from generator.engine.argocd import GENERATED, PROJECTS
from generator.engine.deployment import Deployment
from generator.helmvalues import objects
from generator.impact.finding import Finding, ordered
from generator.impact.rules import flux_folder
from generator.kube import fields
from generator.kube.resource import Object, key_of
from generator.pipeline import toolchain
from generator.tree.objects import access_path
from generator.tree.tree import BOOTSTRAP
from generator.yaml.errors import YamlError
from generator.yaml.manifests import load_manifests


def of(
    files: Files, name: str, deployed: Deployment | None, settings: Settings | None
) -> tuple[Object, ...]:
    """The AppProject in the files, reduced to what concerns the Application, or the Kustomizations
    of Flux, and the roles.

    What is missing or cannot be read is left out: other rules report it.
    """
    if deployed is None:
        return ()
    if deployed.engine == "flux":
        places = flux_reach.cluster_files(settings.repository, name) if settings else ()
        return tuple(
            item for path in (*places, access_path(name)) for item in _objects(files, path)
        )
    return _by_argocd(files, name, deployed.manifest)


def _by_argocd(files: Files, name: str, application: Object) -> tuple[Object, ...]:
    project = fields.text(application, "spec", "project")
    found = _objects(files, f"{PROJECTS}/{project}.yaml") if project else []
    projects = [item for item in found if item.get("kind") == "AppProject"]
    return (*(_cut(item, application) for item in projects), *_objects(files, access_path(name)))


def concerned(
    base: Files, head: Files, names: Iterable[str], paths: Iterable[str]
) -> frozenset[str]:
    """Environments whose AppProject says something else about them, where one of these changed."""
    if not any(path.startswith(f"{PROJECTS}/") for path in paths):
        return frozenset()
    return frozenset(name for name in names if _of_tree(base, name) != _of_tree(head, name))


def root(files: Files) -> Object | None:
    """The root Application in the files."""
    return next(iter(_objects(files, f"{BOOTSTRAP}/root.yaml")), None)


def beside(base: Files, head: Files, paths: Iterable[str]) -> tuple[Finding, ...]:
    """What changed files do that Flux applies beside gen-env's, by the settings of the base."""
    repository = toolchain.settings(base) or toolchain.settings(head)
    found = sorted(path for path in paths if repository and flux_reach.is_beside(path, repository))
    if not found or repository is None:
        return ()
    own = {
        path
        for files in (base, head)
        for top in flux_reach.closed(repository)
        for path in files.below(top)
    }
    if not own:
        return ()
    keys = frozenset(
        key_of(item) for path in own for files in (base, head) for item in _objects(files, path)
    )
    changed = (
        flux_folder.Changed(path, _items(base, path), _items(head, path), keys) for path in found
    )
    return ordered(flux_folder.find(changed, repository))


def _items(files: Files, path: str) -> list[Object]:
    """The objects of a file, a List as what it holds; none of one that cannot be read."""
    try:
        found = objects.read(files.read(path) or b"", path)
    except (UserError, YamlError):
        return []
    return [item.data for item in found if isinstance(item.data, Mapping)]


def _of_tree(files: Files, name: str) -> tuple[Object, ...]:
    found = _objects(files, f"{ROOT}/{name}/{GENERATED}/application.yaml")
    return _by_argocd(files, name, found[0]) if found else ()


def _objects(files: Files, path: str) -> list[dict[str, Any]]:
    try:
        text = files.read(path)
        return load_manifests(text, path=path) if text else []
    except (UserError, YamlError):
        return []


def _cut(project: Object, application: Object) -> dict[str, Any]:
    """Without the windows and destinations of other Applications: they would be noise here."""
    spec = dict(fields.section(project, "spec"))
    for field, concerns in (("syncWindows", _window), ("destinations", _destination)):
        if isinstance(spec.get(field), list):
            spec[field] = [
                entry
                for entry in spec[field]
                if not isinstance(entry, Mapping) or concerns(entry, application)
            ]
    if not spec.get("syncWindows"):
        spec.pop("syncWindows", None)
    return {**project, "spec": spec}


def _window(window: Mapping[str, Any], application: Object) -> bool:
    """argo-cd.readthedocs.io, sync windows: one of the lists is enough without `andOperator`."""
    matches = [
        any(fnmatch.fnmatchcase(value, str(pattern)) for pattern in patterns)
        for field, value in (
            ("applications", fields.name_of(application)),
            ("namespaces", fields.text(application, "spec", "destination", "namespace")),
            ("clusters", _cluster(application)),
        )
        if isinstance(patterns := window.get(field), list) and patterns
    ]
    every = window.get("andOperator") is True
    return bool(matches) and (all(matches) if every else any(matches))


def _destination(entry: Mapping[str, Any], application: Object) -> bool:
    namespace = fields.text(application, "spec", "destination", "namespace")
    pattern = fields.text(entry, "namespace").removeprefix("!")
    server = (fields.text(entry, "server") or fields.text(entry, "name")).removeprefix("!")
    inside = fnmatch.fnmatchcase(namespace, pattern or "*")
    return inside and fnmatch.fnmatchcase(_cluster(application), server or "*")


def _cluster(application: Object) -> str:
    place = fields.section(application, "spec", "destination")
    return fields.text(place, "server") or fields.text(place, "name")
