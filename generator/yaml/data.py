"""Data as `yamldocument.read` gives it: looking into it, and copies with one thing changed."""

from __future__ import annotations

from typing import Any

from generator.yaml import dump
from generator.yaml.document import Path
from generator.yaml.scalars import Plain

MISSING: Any = object()


def get(data: Any, path: Path) -> Any:
    """What is at `path`, or MISSING."""
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step, MISSING)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step] if 0 <= step < len(data) else MISSING
        else:
            return MISSING
    return data


def as_read(value: Any) -> Any:
    """A value as reading it would give it: numbers and booleans become `Plain`."""
    if isinstance(value, dict):
        return {str(key): as_read(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_read(item) for item in value]
    if value is None or isinstance(value, Plain):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    return Plain(dump.dump(value).rstrip("\n"))


def with_value(data: Any, path: Path, value: Any) -> Any:
    """A copy with `value` at `path`; mappings and lists are made where there is nothing.

    Raises LookupError, in words, where something else is in the way.
    """
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        items = [] if data is None else data
        if not isinstance(items, list) or not 0 <= first <= len(items):
            raise LookupError(f"there is no list with a place for item {first}")
        below = items[first] if first < len(items) else None
        return [*items[:first], with_value(below, rest, value), *items[first + 1 :]]
    entries = {} if data is None else data
    if not isinstance(entries, dict):
        raise LookupError(f"there is no mapping that could hold {first}")
    return {**entries, first: with_value(entries.get(first), rest, value)}


def without(data: Any, path: Path) -> Any:
    """A copy without what is at `path`."""
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        inner = [without(data[first], rest)] if rest else []
        return [*data[:first], *inner, *data[first + 1 :]]
    if rest:
        return {**data, first: without(data[first], rest)}
    return {key: item for key, item in data.items() if key != first}


def alike(left: Any, right: Any) -> bool:
    """Equality that tells a string from an unquoted number; the order of keys does not count."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    return type(left) is type(right) and bool(left == right)
