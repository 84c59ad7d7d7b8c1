"""Which settings of the Flux HelmRelease itself an adoption changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.adoption.application_change import Setting

# Setting → why it differs although everything else is carried over; one that ends in `/` or `.` is
# a prefix.
_EXPECTED: tuple[tuple[str, str], ...] = (
    ("metadata.labels.app.kubernetes.io/managed-by", "gen-env manages the HelmRelease"),
    ("metadata.labels.gen-env.dev/", "gen-env manages the HelmRelease"),
    ("metadata.labels.kustomize.toolkit.fluxcd.io/", "the Kustomization that applies it sets it"),
    ("metadata.annotations.kustomize.toolkit.fluxcd.io/", "gen-env decides how Flux applies it"),
    ("metadata.labels.helm.toolkit.fluxcd.io/", "Flux sets it"),
    ("metadata.annotations.helm.toolkit.fluxcd.io/", "Flux sets it"),
    ("metadata.annotations.config.kubernetes.io/", "kustomize reads it"),
    ("metadata.annotations.reconcile.fluxcd.io/", "it asks for one reconciliation"),
    ("metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "kubectl keeps it"),
    ("metadata.finalizers", "Flux sets its own"),
    ("apiVersion", "gen-env writes the present version of the kind"),
    ("spec.chart", "gen-env writes a source of its own for the same chart"),
    ("spec.chartRef", "gen-env writes a source of its own for the same chart"),
    ("spec.values", "the values come from git"),
    ("spec.valuesFrom", "the values come from git"),
)
_MOVED = (
    "gen-env keeps the objects of Flux in the namespace of Flux: a new HelmRelease takes over the"
    " same Helm release, and Flux renews the two labels helm.toolkit.fluxcd.io of every object"
)
# What Flux fills in where the field is not set.
_IMPLIED = ("spec.releaseName", "spec.targetNamespace", "spec.storageNamespace")
# References within the namespace of the HelmRelease.
_LOCAL = ("serviceAccountName", "dependsOn")


def is_bookkeeping(name: str) -> bool:
    """Whether a setting belongs to whoever deploys the HelmRelease and is not carried over."""
    return bool(_known(name))


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings that differ between two HelmReleases."""
    old, new = dict(_settings(before)), dict(_settings(after))
    is_bound = any(_at(before, "spec").get(name) for name in _LOCAL)
    return tuple(
        Setting(name, _text(name, old.get(name)), _text(name, new.get(name)), why)
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
        for why in [_reason(name, is_bound)]
    )


def helm_release(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, namespace and storage namespace of the Helm release, as Flux fills them in."""
    spec, metadata = _at(data, "spec"), _at(data, "metadata")
    place = str(metadata.get("namespace") or "")
    target, name = spec.get("targetNamespace"), str(metadata.get("name"))
    return (
        str(spec.get("releaseName") or (f"{target}-{name}" if target else name)),
        str(target or place),
        str(spec.get("storageNamespace") or place),
    )


def _reason(name: str, is_bound: bool) -> str:
    if name in ("metadata.name", "metadata.namespace"):
        return "" if is_bound else _MOVED
    return _known(name)


def _known(name: str) -> str:
    for known, reason in _EXPECTED:
        if name == known or (known.endswith("/") and name.startswith(known)):
            return reason
    return ""


def _settings(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    metadata, spec = _at(data, "metadata"), _at(data, "spec")
    yield "apiVersion", data.get("apiVersion")
    yield "metadata.name", str(metadata.get("name"))
    yield "metadata.namespace", str(metadata.get("namespace"))
    for part in ("labels", "annotations", "finalizers"):
        value = metadata.get(part)
        rows = value.items() if isinstance(value, Mapping) else ((part, value),) if value else ()
        yield from ((f"metadata.{part}.{key}", item) for key, item in rows)
    yield from zip(_IMPLIED, helm_release(data), strict=True)
    for key, value in spec.items():
        if f"spec.{key}" not in _IMPLIED and value not in (None, "", [], {}, False):
            yield f"spec.{key}", value


def _at(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "spec.values":
        return "values in the HelmRelease"  # they may hold secrets
    if "last-applied" in name:
        return "kubectl's copy of the HelmRelease"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
