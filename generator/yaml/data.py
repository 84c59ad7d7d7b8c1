"""Data as `reader.read` gives it: looking into it, copies with one thing changed, its types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generator.yaml import scalars
from generator.yaml.reader import Path
from generator.yaml.scalars import Plain
from generator.yaml.writer import dump

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
    return Plain(dump(value).rstrip("\n"))


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


def as_json_types(value: Any) -> Any:
    """The data with every `Plain` as YAML 1.2 reads it; dates and `on` stay strings."""
    if isinstance(value, Plain):
        return scalars.core(value)
    if isinstance(value, dict):
        return {str(key): as_json_types(item) for key, item in value.items()}
    return [as_json_types(item) for item in value] if isinstance(value, list) else value


def as_helm(value: Any) -> tuple[Any, list[tuple[Path, str]]]:
    """The data as Helm reads it, and the scalars and keys that others read differently.

    Each finding is the path and a message that says to quote it; the path is the written one.
    """
    findings: list[tuple[Path, str]] = []
    return _resolve(value, (), lambda path, text: findings.append((path, text))), findings


def _resolve(value: Any, path: Path, report: Callable[[Path, str], None]) -> Any:
    if isinstance(value, Plain):
        if scalars.differs(value):
            report(path, _message("value", value))
        return scalars.helm(value)
    if isinstance(value, dict):
        return {
            _resolve_key(key, (*path, key), report): _resolve(item, (*path, key), report)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_resolve(item, (*path, index), report) for index, item in enumerate(value)]
    return value


def _resolve_key(key: str, path: Path, report: Callable[[Path, str], None]) -> str:
    if not isinstance(key, Plain):
        return key
    # A plain number mostly makes the same key everywhere; `on`, `010` and `1.10` do not.
    made = scalars.helm_key(key)
    if made != key or scalars.differs(key):
        report(path, _message("key", key))
    return made


def _message(what: str, text: str) -> str:
    old, helm, core = scalars.kinds(text)
    if old == helm == core:
        return f"this {what} is not quoted, and YAML 1.1 and 1.2 read different {old}s: quote it"
    return (
        f"this {what} is not quoted: YAML 1.1 reads a {old}, Helm a {helm}, "
        f"YAML 1.2 a {core}; quote it"
    )
