"""Two charts' values side by side: what went, what came, what is newly demanded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.core.layered import leaves

# The official chart writes "(deprecated, use `workers.celery.args` instead)".
_DEPRECATED = re.compile("deprecated", re.IGNORECASE)
_QUOTED = re.compile(r"`+([^`]+)`+")


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Dotted keys that only one of two charts knows, changed defaults, new required keys.

    `renamed` are those of the removed that go on under another name, `deprecated` all that the new
    chart says will go, each with what to use instead (or nothing, where the chart does not say).
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[tuple[str, Any, Any], ...]
    required: tuple[str, ...]
    narrowed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    deprecated: tuple[tuple[str, str], ...] = ()


def compare(
    old: tuple[Mapping[str, Any], Mapping[str, Any]],
    new: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> Comparison:
    """Compare (default values, schema) of two charts.

    A key counts as known where the values or the schema name it; defaults that are secrets in
    nature (passwords) are compared, never quoted by the caller.
    """
    (old_values, old_schema), (new_values, new_schema) = old, new
    before = {*_keys(old_values), *_properties(old_schema)}
    after = {*_keys(new_values), *_properties(new_schema)}
    old_defaults = {".".join(map(str, path)): value for path, value in leaves(old_values)}
    new_defaults = {".".join(map(str, path)): value for path, value in leaves(new_values)}
    changed = sorted(
        (key, old_defaults[key], new_defaults[key])
        for key in old_defaults.keys() & new_defaults.keys()
        if old_defaults[key] != new_defaults[key]
    )
    removed = _topmost(before - after)
    return Comparison(
        removed=removed,
        added=_topmost(after - before),
        changed=tuple(changed),
        required=tuple(sorted(set(_required(new_schema)) - set(_required(old_schema)))),
        narrowed=tuple(sorted(_narrowed(old_schema, new_schema))),
        renamed=tuple(_renamed(removed, dict(_nodes(old_schema)), dict(_nodes(new_schema)))),
        deprecated=tuple(sorted(_deprecated(new_schema))),
    )


def _keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")


def _nodes(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, node in (schema.get("properties") or {}).items():
        if isinstance(node, Mapping):
            yield f"{prefix}{key}", node
            yield from _nodes(node, f"{prefix}{key}.")


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    for key, _ in _nodes(schema):
        yield key


def _required(schema: Mapping[str, Any]) -> Iterator[str]:
    for key in schema.get("required") or ():
        yield str(key)
    for place, node in _nodes(schema):
        for key in node.get("required") or ():
            yield f"{place}.{key}"


def _narrowed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Keys that accept fewer types or choices than before."""
    before = dict(_nodes(old))
    for key, node in _nodes(new):
        if key not in before:
            continue
        for word in ("type", "enum"):
            had, has = _choices(before[key].get(word)), _choices(node.get(word))
            if has and (not had or had - has):
                yield key


def _deprecated(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, node in _nodes(schema):
        advice = _advice(node)
        if advice is not None:
            yield key, advice


def _renamed(
    removed: Iterable[str], old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """As the old chart announced it, or else where the new one describes a new key just so."""
    described: dict[str, list[str]] = {}
    for key in new.keys() - old.keys():
        described.setdefault(str(new[key].get("description") or ""), []).append(key)
    for key in removed:
        node = old.get(key, {})
        alike = described.get(str(node.get("description") or ""), [])
        if advice := _advice(node):
            yield key, advice
        elif node.get("description") and len(alike) == 1:
            yield key, alike[0]


def _advice(node: Mapping[str, Any]) -> str | None:
    """What a description says to use instead of a deprecated key; None for one that is not."""
    text = str(node.get("description") or "")
    word = _DEPRECATED.search(text)
    return " or ".join(_QUOTED.findall(text, word.end())) if word else None


def _choices(value: Any) -> set[str]:
    if value is None:
        return set()
    return {str(item) for item in value} if isinstance(value, list) else {str(value)}


def _topmost(keys: set[str]) -> tuple[str, ...]:
    """Without keys below one that is listed itself."""
    return tuple(
        sorted(
            key
            for key in keys
            if not any(key.startswith(f"{other}.") for other in _parents(key) & keys)
        )
    )


def _parents(key: str) -> set[str]:
    parts = key.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}
