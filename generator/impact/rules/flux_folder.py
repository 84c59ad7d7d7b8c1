"""What people keep in the folder of a cluster's Flux, beside gen-env's own part of it.

`flux bootstrap --path` applies the whole folder, its own source and Kustomization among it, so a
file of theirs can give the cluster anything, or change what gen-env's files give.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from generator.definition.definition import ROOT
from generator.diff.equality import same
from generator.impact.context import listed
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key, Object, key_of
from generator.model.repository import Repository

FLUX_FOLDER = ImpactRule(
    "impact/flux-folder",
    ERROR,
    "A file beside gen-env's own changes what Flux applies of them",
    "What people keep there decides what reaches the cluster, not gen-env's files alone.",
    "Flux",
    also=((WARNING, "gen-env has not read what else the file gives the cluster"),),
)

_GROUP = "kustomize.toolkit.fluxcd.io"
_CHANGES = (
    *("patches", "postBuild", "components", "images", "targetNamespace", "namePrefix"),
    *("nameSuffix", "commonMetadata", "kubeConfig", "force"),
    *("path", "sourceRef", "prune", "suspend", "deletionPolicy", "serviceAccountName"),
)
_NOT_READ = "Flux applies it beside the environments, and gen-env has not read what it does there"
_TWICE = "it applies files of the environments a second time, in a way that gen-env does not show"


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """The objects of one file on both sides, as far as they can be read."""

    path: str
    before: Collection[Object]
    after: Collection[Object]
    own: frozenset[Key] = frozenset()
    """The Kustomizations of gen-env beside it."""


def find(changed: Iterable[Changed], repository: Repository) -> Iterator[Finding]:
    """`impact/flux-folder`: for each file what it does to gen-env's, or that it was not read."""
    for item in changed:
        errors = list(_steers(item, repository))
        yield from errors
        if not errors:
            yield FLUX_FOLDER.finding(None, f"{item.path}: {_NOT_READ}", WARNING)


def _steers(item: Changed, repository: Repository) -> Iterator[Finding]:
    before = {key_of(manifest): manifest for manifest in item.before}
    names = {(key.namespace, key.name) for key in item.own}
    source = ("GitRepository", repository.flux.namespace, repository.flux.source)
    for manifest in item.after:
        key = key_of(manifest)
        old = before.get(key)
        if old is not None and same(old, manifest):
            continue
        if (key.kind, key.namespace, key.name) == source:
            parts = _differing(old, manifest)
            words = f"every environment under Flux comes from it, and {listed(parts)} changes"
            yield FLUX_FOLDER.finding(key, f"{item.path}: {words}")
        elif key.group.endswith(".toolkit.fluxcd.io") and (key.namespace, key.name) in names:
            yield FLUX_FOLDER.finding(key, f"{item.path}: it has the name of gen-env's own object")
        elif key.group == _GROUP and (words := _applies(old, manifest, repository)):
            yield FLUX_FOLDER.finding(key, f"{item.path}: {words}")


def _applies(old: Object | None, new: Object, repository: Repository) -> str:
    """What a Kustomization of people does to gen-env's files, in words, or nothing."""
    tops = list(_tops(repository))
    was, place = (_place(item) if item else "" for item in (old, new))
    environments = f"{repository.repository.prefix}{ROOT}"
    again = _is_within(place, environments) or _is_within(environments, place)
    covers = [item for item in (was, place) if item and any(_is_within(it, item) for it in tops)]
    if again or (covers and old is None):
        return _TWICE
    specs = [fields.section(item, "spec") for item in (old, new)]
    parts = [name for name in _CHANGES if not same(*(spec.get(name) for spec in specs))]
    return f"{listed(parts)} changes what Flux applies of {covers[0]}" if covers and parts else ""


def _place(kustomization: Object) -> str:
    return posixpath.normpath(f"./{fields.text(kustomization, 'spec', 'path')}")


def _tops(repository: Repository) -> Iterator[str]:
    for name in repository.clusters:
        yield f"{repository.repository.prefix}{repository.flux.folder(name)}"


def _is_within(path: str, folder: str) -> bool:
    return folder == "." or path == folder or path.startswith(f"{folder}/")


def _differing(old: Object | None, new: Object) -> list[str]:
    """Fields of `spec` that differ, or `metadata` where none does."""
    one, other = (dict[str, Any](fields.section(item, "spec")) for item in (old, new))
    parts = [f"spec.{name}" for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    return parts or ["metadata"]
