"""When two values are the same to the cluster, down to their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether `plain` gives both the same text; told without making it, at the first difference."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return _same_mappings(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return plain(one) == plain(other)


def _same_mappings(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    if len(one) != len(other):
        return False
    if not all(isinstance(key, str) for key in (*one, *other)):
        return plain(one) == plain(other)  # true and 1 are one and the same key to Python
    return all(key in other and same(item, other[key]) for key, item in one.items())


def plain(value: Any) -> str:
    """A text that is equal for equal content whatever the order of keys, and else differs.

    Unlike `==` it tells 1 from true and from 1.0, as Kubernetes does.
    """
    if isinstance(value, Mapping):
        items = sorted((repr(key), plain(item)) for key, item in value.items())
        return f"{{{','.join(f'{key}:{item}' for key, item in items)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join([plain(item) for item in value])}]"
    return repr(value)
