"""The keys of a chart as one tree of plain data, from its schema and its values together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from generator.core.layered import Path

Node = Mapping[str, Any]
"""A section: its KEYS, what becomes of the REST, and its ITEMS if it is a list. A reference to a
shared definition is text with `#` before its name; a scalar has nothing below it and is {}."""

KEYS, REST, ITEMS = "keys", "rest", "items"
FREE, IGNORED, REFUSED = "free", "ignored", "refused"

_ANY: Node = {KEYS: {}, REST: FREE, ITEMS: FREE}
_DEFINITIONS = "#/definitions/"


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """The root section and the definitions that sections refer to by name."""

    root: Node
    definitions: Mapping[str, Node | str]

    def resolved(self, node: Node | str) -> Node:
        """The section itself, behind any references."""
        for _ in range(8):
            if not isinstance(node, str):
                return node
            node = self.definitions.get(node.removeprefix("#"), _ANY)
        return _ANY

    def at(self, path: Path) -> Node | None:
        """The section at a path; None where it is not a documented one."""
        node: Node | str = self.root
        for part in path:
            node = below(self.resolved(node), part)
            if isinstance(node, str) and not node.startswith("#"):
                return None
        return self.resolved(node)


def below(node: Node, part: str | int) -> Node | str:
    """What is at a key, or an item, of a section: another one, or FREE, IGNORED or REFUSED."""
    if isinstance(part, int):
        found: Node | str = node.get(ITEMS, REFUSED)
    else:
        found = node.get(KEYS, {}).get(part, node.get(REST, REFUSED))
    return found


def read(
    schema: Mapping[str, Any],
    defaults: Mapping[str, Any],
    subcharts: Mapping[str, Mapping[str, Any]],
) -> Tree:
    """The tree of a chart; `subcharts` maps the names of its subcharts to their default values.

    A section whose schema names no keys takes any, as does an empty mapping of a subchart: that is
    how charts give a place to annotations and the like.
    """
    root = _mapping(schema, defaults)
    own = {name: _subchart(root[KEYS].get(name, {}), values) for name, values in subcharts.items()}
    root[KEYS] = {"global": _ANY, **root[KEYS], **own}
    definitions = schema.get("definitions") or {}
    return Tree(root, {name: _section(node, None) for name, node in sorted(definitions.items())})


def _section(schema: Any, default: Any) -> Node | str:
    if not isinstance(schema, Mapping):
        own = _mapping({}, default) if isinstance(default, Mapping) and default else _ANY
        return own if schema is not False else {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_DEFINITIONS)
        return f"#{name}" if name != reference else _ANY
    options = [node for word in ("oneOf", "anyOf") for node in schema.get(word) or ()]
    shapes = [node for node in options if isinstance(node, Mapping) and _has_shape(node)]
    if shapes and not schema.get("properties"):
        return _together([_section(node, None) for node in shapes])
    kinds = _kinds(schema)
    node: dict[str, Any] = {}
    if not kinds or "array" in kinds:
        node[ITEMS] = _section(schema["items"], None) if "items" in schema else FREE
    if not kinds or "object" in kinds:
        node |= _mapping(schema, default)
    return node


def _mapping(schema: Mapping[str, Any], default: Any) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    values = default if isinstance(default, Mapping) else {}
    keys = {
        name: _section(properties.get(name, True), values.get(name))
        for name in sorted({*properties, *map(str, values)})
    }
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        rest: Node | str = _section(extra, None)
    elif extra is False:
        rest = REFUSED
    else:
        rest = IGNORED if properties else FREE
    return {KEYS: keys, REST: rest}


def _subchart(declared: Node | str, values: Any) -> Node:
    """A section that another chart reads: the keys of its defaults, and those declared here."""
    if isinstance(values, Mapping) and values:
        known = declared.get(KEYS, {}) if isinstance(declared, Mapping) else {}
        keys = {str(name): _subchart(known.get(name, {}), item) for name, item in values.items()}
        return {KEYS: {**known, **keys}, REST: IGNORED}
    return _ANY


def _together(nodes: list[Node | str]) -> Node | str:
    """One section for alternatives: the first that has something below it."""
    return next((node for node in nodes if node), nodes[0])


def _has_shape(schema: Mapping[str, Any]) -> bool:
    return bool(schema.keys() & {"type", "properties", "items", "$ref"})


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    kind = schema.get("type")
    kinds = frozenset([kind] if isinstance(kind, str) else kind or ())
    if kinds or not schema.get("properties"):
        return kinds
    return frozenset({"object"})
