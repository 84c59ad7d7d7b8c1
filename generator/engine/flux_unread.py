"""What Flux's own objects in a tree do that gen-env cannot show: then nothing is shown of it.

A tree that is not the one that `generate` writes, such as that of another gen-env, is read as it
stands. Its HelmRelease, sources and Kustomizations may install other values, another chart or
other objects than the files beside them hold (fluxcd.io: helm v2, kustomize v1, source v1).
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.engine import flux, flux_reach
from generator.kube import fields
from generator.kube.resource import Object
from generator.model.adoption import KEPT_BY_FLUX, OFF_BY_FLUX
from generator.model.repository import Repository
from generator.yaml.manifests import load_manifests

_AGAIN = "gen-env generate writes it again"
_RELEASE = {
    *("releaseName", "targetNamespace", "storageNamespace", "chart", "chartRef", "valuesFrom"),
    *KEPT_BY_FLUX,
}
_TEMPLATE = {"chart", "version", "sourceRef", "reconcileStrategy", "interval"}
_REFERENCE = {"kind", "name"}
_KUSTOMIZATION = {
    *("interval", "retryInterval", "timeout", "sourceRef", "path", "prune", "suspend", "wait"),
    *("healthChecks", "healthCheckExprs", "dependsOn", "deletionPolicy"),
}


def require_values(files: Mapping[str, bytes], folder: str, release: Object) -> None:
    """Raise UserError unless a HelmRelease has the environment's values.yaml and nothing else.

    Whoever renders that file would otherwise show what Helm does not install.
    """
    path = f"{folder}/{flux.RELEASE}/{flux.KUSTOMIZATION}"
    content = next(iter(load_manifests(files.get(path, b""), path=path)), {})
    made = fields.entries(content, "configMapGenerator")
    spec, hub = fields.section(release, "spec"), fields.text(release, "metadata", "namespace")
    wanted = {"kind": "ConfigMap", "valuesKey": flux.VALUES_KEY}
    sources = [{**wanted, "name": item.get("name")} for item in made]
    honest = all(
        (item.get("files"), item.get("namespace")) == ([flux.VALUES_FILE], hub) for item in made
    )
    if len(made) != 1 or not honest or fields.at(spec, "valuesFrom") != sources:
        raise UserError(
            "the HelmRelease takes other values than values.yaml", path=path, hint=_AGAIN
        )


def require_objects(objects: Iterable[Object], path: str) -> None:
    """Raise UserError for an object that Flux would apply otherwise than it stands in its file."""
    for manifest in objects:
        if why := flux_reach.steered(manifest):
            kind, name = manifest.get("kind"), fields.name_of(manifest)
            raise UserError(f"{kind} {name}: {why}", path=path, hint=_AGAIN)


def require_release(objects: Collection[Object], repository: Repository, path: str) -> None:
    """Raise UserError for a HelmRelease, among these objects with its source, that installs
    something else than the chart of that source with the values beside it."""
    release, *others = sorted(objects, key=lambda item: item.get("kind") != "HelmRelease")
    _refuse(_of_release(release, others, repository), "the HelmRelease", path)
    for number, item in enumerate(others):
        title = f"{item.get('kind')} {fields.name_of(item)}"
        if number or item.get("kind") not in ("HelmRepository", "OCIRepository"):
            _refuse(["the whole object"], title, path)
        _refuse(_beyond(fields.section(item, "spec"), "ref", {"tag"}), title, path)


def _of_release(release: Object, others: Iterable[Object], repository: Repository) -> Iterator[str]:
    spec, beside = fields.section(release, "spec"), fields.text(release, "metadata", "namespace")
    yield from sorted(set(spec) - _RELEASE)
    for action in ("install", "upgrade"):
        yield from (f"{action}.{name}" for name in OFF_BY_FLUX if fields.at(spec, action, name))
    yield from _beyond(spec, "chart.spec", _TEMPLATE)
    known = {
        (item.get("kind"), fields.name_of(item), "")
        for item in others
        if fields.text(item, "metadata", "namespace") == beside
    }
    chart = f"{repository.repository.prefix}{repository.chart.path}"
    known.add(("GitRepository", repository.flux.source, posixpath.normpath(chart)))
    for place in ("chartRef", "chart.spec.sourceRef"):
        if reference := fields.section(spec, *place.split(".")):
            yield from _beyond(spec, place, _REFERENCE)
            kind, name = reference.get("kind"), reference.get("name")
            chart = fields.text(spec, "chart", "spec", "chart") if kind == "GitRepository" else ""
            if (kind, name, posixpath.normpath(chart) if chart else "") not in known:
                yield f"{place} ({kind} {name})"


def require_kustomizations(
    objects: Iterable[Object], name: str, folder: str, repository: Repository, path: str
) -> None:
    """Raise UserError unless these objects, of the file for a cluster's Flux, apply the two folders
    of the environment as they are; `name` is that of the second Kustomization."""
    folder = f"./{repository.repository.prefix}{folder}"
    places = {
        flux.name_of_prerequisites(name): f"{folder}/{flux.PREREQUISITES}",
        name: f"{folder}/{flux.RELEASE}",
    }
    for item in objects:
        spec, own = fields.section(item, "spec"), fields.name_of(item)
        title = f"{item.get('kind')} {own}"
        source = {"kind": "GitRepository", "name": repository.flux.source}
        if item.get("kind") != "Kustomization" or own not in places:
            _refuse(["the whole object"], title, path)
        wrong = sorted(set(spec) - _KUSTOMIZATION)
        wrong += ["path"] if spec.get("path") != places[own] else []
        wrong += ["sourceRef"] if spec.get("sourceRef") != source else []
        _refuse(wrong, title, path)


def _beyond(spec: Mapping[str, Any], place: str, known: Collection[str]) -> Iterator[str]:
    for field in sorted(set(fields.section(spec, *place.split("."))) - set(known)):
        yield f"{place}.{field}"


def _refuse(wrong: Iterable[str], title: str, path: str) -> None:
    if names := ", ".join(wrong):
        raise UserError(f"{names} of {title} cannot be read by gen-env", path=path, hint=_AGAIN)
