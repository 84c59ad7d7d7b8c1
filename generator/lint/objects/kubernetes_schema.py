"""Rendered objects against the schemas of one Kubernetes version."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.pods import Where, rendered_only, task_pods, title_of
from generator.kube.resource import Object, group_of
from generator.lint.objects.schema_errors import SchemaCheck

SCHEMA = Rule(
    "kubernetes/schema",
    Severity.ERROR,
    "An object that Kubernetes refuses",
    "The API server rejects wrong types; unknown fields are dropped or, with server-side apply, "
    "rejected.",
    "Kubernetes' OpenAPI, strict",
)
KIND = Rule(
    "kubernetes/unknown-kind",
    Severity.ERROR,
    "A kind that this Kubernetes version does not serve",
    "The sync fails: the API was removed, or is not available yet.",
    "Kubernetes' OpenAPI",
)
DEPRECATED = Rule(
    "kubernetes/deprecated-api",
    Severity.WARNING,
    "An API that a newer Kubernetes version no longer serves",
    "The cluster's next upgrade breaks the sync.",
    "Kubernetes' OpenAPI",
)
VERSION = Rule(
    "kubernetes/version-approximate",
    Severity.INFO,
    "Checked against another Kubernetes version",
    "No schema of exactly the cluster's version is available; the nearest older one was used.",
)
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
Release = tuple[int, int]


def problems(
    manifests: Iterable[Object], version: str, *, where: Where = rendered_only
) -> Iterator[Problem]:
    """What Kubernetes of that version (`1.34.2`) refuses, and what it will refuse later.

    Custom resources are left to `crd_schema`. Raises ValueError for a version without two numbers.
    """
    wanted = _release(version)
    chosen = nearest(wanted)
    if chosen != wanted:
        yield _approximate(wanted, chosen)
    for manifest in manifests:
        if is_builtin(manifest):
            yield from _object_problems(manifest, chosen, where)
        template = task_pods(manifest)
        if template is not None:
            pod = {"apiVersion": "v1", "kind": "Pod", **template}
            yield from _faults(pod, chosen, f"pod template in {title_of(manifest)}", "")


def is_builtin(manifest: Object) -> bool:
    """Whether the object belongs to Kubernetes itself rather than to a CRD."""
    group = group_of(str(manifest.get("apiVersion") or ""))
    return "." not in group or group in _groups()


def supported() -> tuple[Release, ...]:
    """The Kubernetes versions whose schemas are at hand, oldest first."""
    return tuple(sorted(_folders()))


def nearest(wanted: Release) -> Release:
    """The version itself, else the newest one before it, else the oldest that there is."""
    older = [version for version in supported() if version <= wanted]
    return older[-1] if older else supported()[0]


def _object_problems(manifest: Object, version: Release, where: Where) -> Iterator[Problem]:
    kind, api = str(manifest.get("kind")), str(manifest.get("apiVersion"))
    title, place = title_of(manifest), where(manifest)
    if (api, kind) not in _kinds(version):
        known = _stable(kind, version)
        yield KIND.problem(
            f"{title}: Kubernetes {_text(version)} does not serve {api} {kind}",
            path=place,
            hint=f"use {known}" if known else "remove the object, or upgrade the cluster",
        )
        return
    yield from _faults(manifest, version, title, place)
    gone = _gone_in(api, kind, version)
    if gone:
        other = _stable(kind, version)
        yield DEPRECATED.problem(
            f"{title}: {api} is gone in Kubernetes {_text(gone)}",
            path=place,
            hint=f"use {other}" if other else "look for its successor before upgrading",
        )


def _faults(manifest: Object, version: Release, title: str, place: str) -> Iterator[Problem]:
    api, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
    check = _schema_check(version, _kinds(version)[api, kind])
    for fault in check.faults(manifest):
        message = f"{title}: {fault.message}"
        yield SCHEMA.problem(message, path=place, hint=fault.hint)


def _approximate(wanted: Release, chosen: Release) -> Problem:
    return VERSION.problem(
        f"objects were checked against Kubernetes {_text(chosen)}: schemas of {_text(wanted)} "
        f"are not available",
        hint="a newer kubernetes-validate brings newer schemas",
    )


def _stable(kind: str, version: Release) -> str:
    """The newest API that serves the kind for good, or ''."""
    known = sorted(api for api, name in _kinds(version) if name == kind)
    return next((api for api in reversed(known) if "alpha" not in api and "beta" not in api), "")


def _gone_in(api: str, kind: str, version: Release) -> Release | None:
    """The first later version without that API; only alpha and beta versions ever go."""
    if "alpha" not in api and "beta" not in api:
        return None
    later = [item for item in supported() if item > version]
    return next((item for item in later if (api, kind) not in _kinds(item)), None)


def _release(version: str) -> Release:
    match = _VERSION.match(version)
    if not match:
        raise ValueError("a Kubernetes version has the form 1.34.2")
    return int(match[1]), int(match[2])


def _text(version: Release) -> str:
    return f"{version[0]}.{version[1]}"


@functools.cache
def _folders() -> Mapping[Release, str]:
    """Folders with strict schemas inside the package kubernetes-validate, by version."""
    from importlib.resources import files

    root = files("kubernetes_validate") / "kubernetes-json-schema"
    names = [item.name for item in root.iterdir() if item.name.endswith("-local-strict")]
    return {_release(name): name for name in names if _VERSION.match(name)}


@functools.cache
def _definitions(version: Release) -> Mapping[str, Any]:
    from importlib.resources import files

    root = files("kubernetes_validate") / "kubernetes-json-schema" / _folders()[version]
    document: Mapping[str, Any] = json.loads((root / "_definitions.json").read_text("utf-8"))
    return document


@functools.cache
def _kinds(version: Release) -> Mapping[tuple[str, str], str]:
    """(apiVersion, kind) → name of its definition."""
    found = {}
    for name, definition in _definitions(version)["$defs"].items():
        for item in definition.get("x-kubernetes-group-version-kind") or ():
            group = f"{item['group']}/" if item["group"] else ""
            found[group + item["version"], item["kind"]] = name
    return found


@functools.cache
def _groups() -> frozenset[str]:
    """Kubernetes' own groups; `extensions` and its like have no dot and need not be listed."""
    return frozenset(
        group_of(api) for version in (supported()[0], supported()[-1]) for api, _ in _kinds(version)
    )


@functools.cache
def _schema_check(version: Release, name: str) -> SchemaCheck:
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(())
    for size, bits in (("int32", 31), ("int64", 63)):
        formats.checks(size)(functools.partial(_fits, 1 << bits))
    document = _definitions(version)
    schema = {"$id": document["$id"], "$defs": document["$defs"], "$ref": f"#/$defs/{name}"}
    return SchemaCheck(Draft202012Validator(schema, format_checker=formats))


def _fits(bound: int, value: object) -> bool:
    """Whether the server can hold the number; other types are not its matter."""
    return not isinstance(value, int) or -bound <= value < bound
