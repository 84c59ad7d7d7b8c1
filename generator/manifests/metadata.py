"""Metadata that every object of ours carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.release.release import Release

GUARDED = {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}
"""Argo CD asks a person before it prunes or deletes such an object (Argo CD >= 3.1)."""

WAVE = "argocd.argoproj.io/sync-wave"
NAMESPACE_WAVE, SECRET_WAVE, POLICY_WAVE = "-10", "-5", "-3"


def labels(release: Release) -> dict[str, str]:
    """Labels of ours; never those by which the chart's Services and policies select."""
    return {
        "app.kubernetes.io/managed-by": "gen-env",
        "app.kubernetes.io/part-of": "airflow",
        "gen-env.dev/environment": release.resolved.name.replace("/", "."),
        **release.environment.labels,
    }


def manifest(
    release: Release,
    api_version: str,
    kind: str,
    name: str,
    body: Mapping[str, Any],
    *,
    annotations: Mapping[str, str] | None = None,
    namespaced: bool = True,
    more_labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One object with our labels, in the environment's namespace."""
    metadata: dict[str, Any] = {"name": name}
    if namespaced:
        metadata["namespace"] = release.environment.namespace
    metadata["labels"] = dict(sorted({**labels(release), **(more_labels or {})}.items()))
    if annotations:
        metadata["annotations"] = dict(sorted(annotations.items()))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
