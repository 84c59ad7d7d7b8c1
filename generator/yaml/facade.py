"""Reading and writing YAML: the one door for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.yaml.document import Document, Mark, Path, read, read_all
from generator.yaml.dump import dump, dump_all
from generator.yaml.errors import YamlError
from generator.yaml.limits import Limits
from generator.yaml.manifests import load_manifests
from generator.yaml.scalars import Plain
from generator.yaml.typed import as_helm, as_json_types

__all__ = [
    "Document",
    "Limits",
    "Mark",
    "Path",
    "Plain",
    "YamlError",
    "as_helm",
    "as_json_types",
    "canonical",
    "dump",
    "dump_all",
    "load_manifests",
    "read",
    "read_all",
]

_TOP = ("apiVersion", "kind", "metadata")
_METADATA = ("name", "namespace", "labels", "annotations")


def canonical(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in the one order of keys: identity first, the rest sorted at every depth."""
    result = _first(_sorted(manifest), _TOP)
    if isinstance(metadata := result.get("metadata"), dict):
        result["metadata"] = _first(metadata, _METADATA)
    return result


def _first(mapping: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping} | mapping


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
