"""The settings that a definition carries over: of an Application, or of a HelmRelease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.adoption import release_change
from generator.adoption.application_change import is_bookkeeping
from generator.engine.argocd import kept_finalizers
from generator.kube.fields import section
from generator.model.adoption import KEPT_BY_FLUX
from generator.yaml.scalars import as_helm

_SPEC = ("syncPolicy", "ignoreDifferences", "info", "revisionHistoryLimit")


def settings(application: Mapping[str, Any], tier: str) -> dict[str, Any]:
    """What the field holds for an Application as it was read; all its parts as they stand."""
    data, _ = as_helm(application)
    metadata, spec = section(data, "metadata"), section(data, "spec")
    kept: dict[str, Any] = {
        part: {
            name: value
            for name, value in section(metadata, part).items()
            if not is_bookkeeping(f"metadata.{part}.{name}")
        }
        for part in ("labels", "annotations")
    }
    finalizers = metadata.get("finalizers")
    listed = map(str, finalizers if isinstance(finalizers, list) else ())
    kept["finalizers"] = kept_finalizers(listed, tier)
    found = {**kept, **{name: spec.get(name) for name in _SPEC}}
    return {name: value for name, value in found.items() if value not in (None, {}, [])}


def of_helm_release(data: Mapping[str, Any]) -> dict[str, Any]:
    """What `adoption.helmRelease` holds for a HelmRelease as it was read."""
    given, _ = as_helm(data)
    metadata, spec = section(given, "metadata"), section(given, "spec")
    kept: dict[str, Any] = {
        part: {
            name: value
            for name, value in section(metadata, part).items()
            if not release_change.is_bookkeeping(f"metadata.{part}.{name}")
        }
        for part in ("labels", "annotations")
    }
    kept["spec"] = {name: spec[name] for name in KEPT_BY_FLUX if name in spec}
    return {name: value for name, value in kept.items() if value}
