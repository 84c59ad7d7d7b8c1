"""Differences that are noise to a reader: taken out of the text, but counted by name."""

from __future__ import annotations

import re
from typing import Any

# Labels that repeat which chart or tool wrote the object. A selector that uses one is not folded.
_LABELS = frozenset(
    {
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/version",
        "chart",
        "helm.sh/chart",
        "heritage",
    }
)
_ANNOTATIONS = re.compile(r"checksum/.+|gen-env\.dev/secret-hash.*")

ORDER = "order of keys"


def is_folded_annotation(name: str) -> bool:
    """Whether an annotation only repeats the content of another object as a hash."""
    return _ANNOTATIONS.fullmatch(name) is not None


def fold(base: Any, head: Any) -> tuple[Any, Any, tuple[str, ...]]:
    """Both sides without their noise, and the names of the fields that were taken out.

    Only a difference is noise: a label that is equal on both sides stays as context. The inputs
    are not changed; a part without noise is returned as it is.
    """
    names: set[str] = set()
    base, head = _fold(base, head, names)
    return base, head, tuple(sorted(names))


def _fold(base: Any, head: Any, names: set[str]) -> tuple[Any, Any]:
    if isinstance(base, dict) and isinstance(head, dict):
        return _fold_mappings(base, head, names)
    if isinstance(base, list) and isinstance(head, list):
        both = [_fold(one, other, names) for one, other in zip(base, head, strict=False)]
        shared = len(both)
        return (
            [one for one, _ in both] + base[shared:],
            [other for _, other in both] + head[shared:],
        )
    return base, head


def _fold_mappings(
    base: dict[Any, Any], head: dict[Any, Any], names: set[str]
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    new_base, new_head = dict(base), dict(head)
    for key in base.keys() & head.keys():
        new_base[key], new_head[key] = _fold(base[key], head[key], names)
    if isinstance(base.get("metadata"), dict) and isinstance(head.get("metadata"), dict):
        new_base["metadata"], new_head["metadata"] = _fold_metadata(
            new_base["metadata"], new_head["metadata"], names
        )
    return new_base, new_head


def _fold_metadata(
    base: dict[str, Any], head: dict[str, Any], names: set[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    for field in ("labels", "annotations"):
        one, other = base.get(field) or {}, head.get(field) or {}
        if not isinstance(one, dict) or not isinstance(other, dict):
            continue
        noise = [key for key in one.keys() | other.keys() if _is_noise(field, key, one, other)]
        if noise:
            names.update(f"{field.removesuffix('s')} {key}" for key in noise)
            base, head = _without(base, field, noise), _without(head, field, noise)
    return base, head


def _is_noise(field: str, key: Any, one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    if not isinstance(key, str) or repr(one.get(key)) == repr(other.get(key)):
        return False
    return key in _LABELS if field == "labels" else is_folded_annotation(key)


def _without(metadata: dict[str, Any], field: str, noise: list[str]) -> dict[str, Any]:
    """Without the noisy keys; a field that only held noise goes as a whole, like one never set."""
    kept = {key: value for key, value in (metadata.get(field) or {}).items() if key not in noise}
    rest = {key: value for key, value in metadata.items() if key != field}
    return {**rest, field: kept} if kept else rest
