"""The settings of an Application that a definition carries over (`adoption.application`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.adoption.application_change import is_bookkeeping
from generator.yaml.scalars import as_helm

_SPEC = ("syncPolicy", "ignoreDifferences", "info", "revisionHistoryLimit")


def settings(application: Mapping[str, Any]) -> dict[str, Any]:
    """What the field holds for an Application as it was read; all its parts as they stand."""
    data, _ = as_helm(application)
    metadata, spec = data.get("metadata") or {}, data.get("spec") or {}
    kept = {
        part: {
            name: value
            for name, value in (metadata.get(part) or {}).items()
            if not is_bookkeeping(f"metadata.{part}.{name}")
        }
        for part in ("labels", "annotations")
    }
    found = {**kept, **{name: spec.get(name) for name in _SPEC}}
    return {name: value for name, value in found.items() if value not in (None, {}, [])}
