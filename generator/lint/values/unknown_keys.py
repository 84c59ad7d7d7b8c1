"""Keys that the chart would ignore: its schema leaves many sections open."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, dotted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.lint.objects.schema_errors import near
from generator.lint.values.deprecated import is_named

MISSPELT = Rule(
    "values/misspelt-key",
    Severity.ERROR,
    "A key that is almost one of the chart's",
    "The chart ignores it silently, and uses its default.",
)
UNKNOWN = Rule(
    "values/unknown-key",
    Severity.WARNING,
    "A key that the chart does not know",
    "The chart ignores it silently.",
)

# Sections that merge into a subchart; only that chart knows their keys.
_SUBCHARTS = ("postgresql",)
# `global` is Helm's own; the rest carries anchors, by habit.
_ROOT_EXTRA = ("global",)
_ANCHORS = ("x-", ".", "_")
# Passed on as it is, so that fields of Kubernetes beyond the documented ones work.
_PASSED_ON = {"dags.gitSync.livenessProbe", "dags.gitSync.startupProbe"}
_ALSO_KNOWN = {
    "config": {"unhealthyPodEvictionPolicy"},
    "horizontalPodAutoscalerConfig": {"name", "behavior"},
}
_READ = re.compile(r"\.Values\.(\w+(?:\.\w+)*)")
_SETS = ("workers", "celery", "sets")


def unknown_key_problems(
    values: ValuesInput,
    schema: Mapping[str, Any],
    defaults: Mapping[str, Any],
    subcharts: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Problem]:
    """Keys in the user's values that neither schema nor defaults of the chart have.

    Sections that the schema closes are left to the schema check. `subcharts` maps a subchart's
    name to its default values; without them its keys are taken as they come.
    """
    search = _Search(schema, defaults, subcharts or {})
    read = _read_by_templates(values.user)
    for path, known in search.unknown((), values.user, schema, defaults):
        if is_named(values, path) or _is_read(path, read):
            continue
        meant = near(str(path[-1]), known)
        elsewhere = "" if meant else search.elsewhere(str(path[-1]), path)
        rule = MISSPELT if meant else UNKNOWN
        where, line = values.locate(path)
        hint = f"did you mean {meant}?" if meant else ""
        if elsewhere:
            hint = f"did you mean {elsewhere}?"
        yield rule.problem(
            f"the chart ignores {dotted(path)}: it has no such key",
            path=where,
            line=line,
            hint=hint or "remove it",
        )


def _read_by_templates(values: Any) -> frozenset[tuple[str, ...]]:
    """The keys that templated texts among the values read through `.Values`."""
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list):
        return frozenset().union(*(_read_by_templates(item) for item in values))
    if not isinstance(values, str) or "{{" not in values:
        return frozenset()
    return frozenset(tuple(name.split(".")) for name in _READ.findall(values))


def _is_read(path: Path, read: frozenset[tuple[str, ...]]) -> bool:
    """Whether a template reads that key, something below it, or the section around it."""
    return any(path[: len(key)] == key[: len(path)] for key in read)


class _Search:
    """One walk over values, schema and defaults together."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        defaults: Mapping[str, Any],
        subcharts: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._schema = schema
        self._defaults = defaults
        self._subcharts = subcharts

    def unknown(
        self, path: Path, values: Any, schema: Mapping[str, Any], defaults: Any
    ) -> Iterator[tuple[Path, set[str]]]:
        """Paths that lead nowhere, each with the keys that its section has."""
        schema = self._resolved(schema)
        if isinstance(values, list):
            items = schema.get("items")
            for index, item in enumerate(values):
                if path == _SETS:
                    yield from self._worker_set((*path, index), item)
                elif isinstance(items, Mapping):
                    yield from self.unknown((*path, index), item, items, None)
        elif isinstance(values, Mapping):
            yield from self._mapping(path, values, schema, defaults)

    def _mapping(
        self, path: Path, values: Mapping[str, Any], schema: Mapping[str, Any], defaults: Any
    ) -> Iterator[tuple[Path, set[str]]]:
        known = self._known(path, schema, defaults)
        properties = schema.get("properties") or {}
        for key, item in values.items():
            below = (*path, key)
            if known is not None and key not in known:
                if path or not str(key).startswith(_ANCHORS):
                    yield below, known
            elif key in properties:
                default = defaults.get(key) if isinstance(defaults, Mapping) else None
                yield from self.unknown(below, item, properties[key], default)
            elif isinstance(schema.get("additionalProperties"), Mapping):
                yield from self.unknown(below, item, schema["additionalProperties"], None)
            elif path and path[0] in _SUBCHARTS:
                yield from self.unknown(below, item, {}, None)

    def _known(self, path: Path, schema: Mapping[str, Any], defaults: Any) -> set[str] | None:
        """The keys of a section, or None where any key will do or the schema decides."""
        properties = schema.get("properties")
        extra = schema.get("additionalProperties")
        if len(path) and path[0] in _SUBCHARTS:
            return self._subchart(path, properties)
        if extra is False or not properties or isinstance(extra, Mapping):
            return None
        if dotted(path) in _PASSED_ON:
            return None
        known = set(properties) | set(defaults if isinstance(defaults, Mapping) else ())
        known |= _ALSO_KNOWN.get(str(path[-1]), set()) if path else set(_ROOT_EXTRA)
        return known

    def _subchart(self, path: Path, properties: Mapping[str, Any] | None) -> set[str] | None:
        own: Any = self._subcharts.get(str(path[0]))
        for part in path[1:]:
            own = own.get(part) if isinstance(own, Mapping) else None
        # An empty mapping in the defaults is a place for free keys, such as annotations.
        if not isinstance(own, Mapping) or not own:
            return None
        return set(own) | set(properties or ()) | {"enabled"}

    def _worker_set(self, path: Path, values: Any) -> Iterator[tuple[Path, set[str]]]:
        """A set takes the keys of workers.celery, but for those about sets, and a name."""
        properties = self._schema
        for part in ("workers", "celery"):
            properties = self._resolved(properties.get("properties", {}).get(part) or {})
        keys = properties.get("properties") or {}
        known = (set(keys) | {"name"}) - {"sets", "enableDefault"}
        for key, item in values.items() if isinstance(values, Mapping) else ():
            if key not in known:
                yield (*path, key), known
            elif key in keys:
                yield from self.unknown((*path, key), item, keys[key], None)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        node: Any = self._schema
        for part in reference[2:].split("/"):
            node = node.get(part) if isinstance(node, Mapping) else None
        return node if isinstance(node, Mapping) else schema

    def elsewhere(self, key: str, path: Path) -> str:
        """Where the chart has a key of that name, if at one place near the root only."""
        places = [place for place in self._places.get(key, ()) if place != path]
        return dotted(places[0]) if len(places) == 1 else ""

    @functools.cached_property
    def _places(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in _paths(self._defaults, ()):
            found.setdefault(str(path[-1]), []).append(path)
        return found


def _paths(values: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for key, item in values.items():
        yield (*path, key)
        if isinstance(item, Mapping) and len(path) < 3:
            yield from _paths(item, (*path, key))
