"""Versions that move, and Kubernetes APIs that are gone in the target version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context
from generator.impact.finding import ERROR, INFO, Finding, ImpactRule
from generator.kube.removed_apis import removal

_FACTS = (
    ("chart_version", "chart"),
    ("kubernetes_version", "Kubernetes"),
    ("engine", "Helm engine"),
)
# Values that only say which Airflow runs: a pure bump may change them.
_VERSION_VALUES = frozenset({"airflowVersion", "defaultAirflowTag", "defaultAirflowDigest"})
_MINOR = re.compile(r"v?1\.(\d{1,3})")

VERSION = ImpactRule(
    "impact/version",
    INFO,
    "The version of the chart, Airflow, Kubernetes or the Helm engine changes",
    "Other changes may be caused by the version alone.",
    "gen-env",
)
REMOVED_API = ImpactRule(
    "impact/removed-api",
    ERROR,
    "An API that the cluster's version no longer serves",
    "The sync fails.",
    "Kubernetes",
)


def version(context: Context) -> Iterator[Finding]:
    """`impact/version`: chart, Airflow, Kubernetes or Helm engine move, alone or with more."""
    moved = []
    for name, word in _FACTS:
        old, new = getattr(context.base.facts, name), getattr(context.head.facts, name)
        if old and new and old != new:
            moved.append(f"{word} {old} → {new}")
    brief = ", ".join(moved)  # `impact/migration` says it of Airflow
    moved[1:1] = _airflow(context)
    if moved and context.is_update:
        alone = ": no other Helm value changes" if _is_pure(context) else ""
        yield VERSION.finding(None, f"{', '.join(moved)}{alone}", brief=brief)


def _airflow(context: Context) -> Iterator[str]:
    """What the images say; the value `airflowVersion` alone only decides what is rendered."""
    old, new = context.base.runs, context.head.runs
    if old.airflow and new.airflow and old.airflow != new.airflow:
        yield f"Airflow {old.airflow} → {new.airflow}"
        return
    claims = context.base.facts.airflow_version, context.head.facts.airflow_version
    if all(claims) and claims[0] != claims[1]:
        yield f"airflowVersion {claims[0]} → {claims[1]} (the image stays Airflow {new.airflow})"


def removed_api(context: Context) -> Iterator[Finding]:
    """`impact/removed-api`: the cluster's version no longer serves the API of an object."""
    match = _MINOR.match(context.head.facts.kubernetes_version or "")
    if match is None:
        return
    minor = int(match[1])
    for key, manifest in context.head.objects.items():
        gone = removal(str(manifest.get("apiVersion") or ""), key.kind, minor)
        if gone:
            yield REMOVED_API.finding(
                key,
                f"{gone.api} was removed in Kubernetes 1.{gone.minor}, and the cluster runs "
                f"1.{minor}: the sync fails; use {gone.instead}",
            )


def _is_pure(context: Context) -> bool:
    before, after = context.base.facts.values, context.head.facts.values
    if before is None or after is None:
        return False
    return same(_without_versions(before), _without_versions(after))


def _without_versions(values: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in values.items() if key not in _VERSION_VALUES}
    images = rest.get("images")
    if isinstance(images, Mapping) and isinstance(images.get("airflow"), Mapping):
        airflow = {k: v for k, v in images["airflow"].items() if k not in ("tag", "digest")}
        rest["images"] = {**images, "airflow": airflow}
    return rest


FINDERS = (version, removed_api)
