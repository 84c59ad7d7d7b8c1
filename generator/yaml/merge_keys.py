"""What `<<` and aliases mean for the data they bring in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def joined(own: dict[str, Any], merged: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is merged comes first in order and last in force; the first of several wins."""
    result: dict[str, Any] = {}
    for source in merged:
        for key, value in source.items():
            result.setdefault(key, value)
    result.update(own)
    return result


def copied(value: Any) -> Any:
    """A copy of mappings and lists at any depth: an alias must not share what can be changed."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
