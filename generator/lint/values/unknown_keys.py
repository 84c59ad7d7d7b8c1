"""Keys that the chart would ignore: its schema leaves many sections open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.chart.traits import ChartTraits, Reading
from generator.core.layered import Path, dotted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.lint.key_names import other_name
from generator.lint.objects.schema_errors import near
from generator.lint.values.database import OLD_POSTGRESQL_KEYS
from generator.lint.values.deprecated import is_named
from generator.lint.values.schema import SCHEMA

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

# Carries anchors, by habit.
_ANCHORS = ("x-", ".", "_")
# Passed on as it is, so that fields of Kubernetes beyond the documented ones work.
_PASSED_ON = {"dags.gitSync.livenessProbe", "dags.gitSync.startupProbe"}
_ALSO_KNOWN = {
    "config": {"unhealthyPodEvictionPolicy"},
    "horizontalPodAutoscalerConfig": {"name", "behavior"},
}
_READ = re.compile(r"\.Values\.(\w+(?:\.\w+)*)")
_WHOLE = re.compile(r"\.Values(?![\w.])")  # `index .Values "a" "b"`, `range .Values`
_NAME = re.compile(r"[\"`]([\w-]+)[\"`]")
_SETS = ("workers", "celery", "sets")
_NOT_IN_SETS = ("sets", "enableDefault")


def refused_key_problems(values: ValuesInput) -> Iterator[Problem]:
    """Keys in the user's values that the chart's schema refuses, for where no schema is at hand."""
    for path, reading in _unread(values.chart, (), values.user):
        if reading is Reading.REFUSED and isinstance(path[-1], str):
            where, line = values.locate(path)
            hint = other_name(path, values) or "remove it"
            yield SCHEMA.problem(f"unknown key {dotted(path)}", path=where, line=line, hint=hint)


def unknown_key_problems(values: ValuesInput) -> Iterator[Problem]:
    """Keys in the user's values that the chart ignores; those that it refuses are the schema's."""
    read = _read_by_templates(values.user)
    for path, reading in _unread(values.chart, (), values.user):
        if reading is Reading.REFUSED:
            continue
        if is_named(values, path) or _is_read(path, read) or dotted(path) in OLD_POSTGRESQL_KEYS:
            continue
        where, line = values.locate(path)
        rule, hint = _advice(path, values)
        yield rule.problem(
            f"the chart ignores {dotted(path)}: it has no such key",
            path=where,
            line=line,
            hint=hint,
        )


def _advice(path: Path, values: ValuesInput) -> tuple[Rule, str]:
    """What to write instead: a name of another chart, a key spelt like it, one elsewhere."""
    other = other_name(path, values)
    if other:
        return UNKNOWN, other
    meant = near(str(path[-1]), _known(values.chart, path[:-1]))
    if meant:
        return MISSPELT, f"did you mean {meant}?"
    elsewhere = _elsewhere(str(path[-1]), path, values.defaults)
    return UNKNOWN, f"did you mean {elsewhere}?" if elsewhere else "remove it"


def _unread(chart: ChartTraits, path: Path, values: Any) -> Iterator[tuple[Path, Reading]]:
    """The topmost keys that the chart ignores or refuses."""
    for key, item in _entries(values):
        below = (*path, key)
        reading = chart.reading(_as_worker(below))
        if reading is Reading.IGNORED or (path[:-1] == _SETS and key in _NOT_IN_SETS):
            if not _is_anchor(path, key) and not _is_passed_on(path, key):
                yield below, Reading.IGNORED
        elif reading is Reading.REFUSED:
            yield below, reading
        else:
            yield from _unread(chart, below, item)


def _entries(values: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(values, Mapping):
        return values.items()
    return enumerate(values) if isinstance(values, list) else ()


def _as_worker(path: Path) -> Path:
    """A set of workers takes the keys of workers.celery, and a name."""
    if path[:3] != _SETS or len(path) < 5 or path[4:] == ("name",):
        return path
    return ("workers", "celery", *path[4:])


def _known(chart: ChartTraits, section: Path) -> frozenset[str]:
    return chart.known(_as_worker((*section, "-"))[:-1])


def _is_anchor(path: Path, key: object) -> bool:
    return not path and str(key).startswith(_ANCHORS)


def _is_passed_on(path: Path, key: object) -> bool:
    section = str(path[-1]) if path else ""
    return dotted(path) in _PASSED_ON or key in _ALSO_KNOWN.get(section, ())


def _read_by_templates(values: Any) -> frozenset[tuple[str, ...]]:
    """The keys that templated texts among the values read through `.Values`."""
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list):
        return frozenset().union(*(_read_by_templates(item) for item in values))
    if not isinstance(values, str) or "{{" not in values:
        return frozenset()
    read = {tuple(name.split(".")) for name in _READ.findall(values)}
    if _WHOLE.search(values):
        # Which of the names is the key cannot be told from here; without any it may be each.
        read |= {(name,) for name in _NAME.findall(values)} or {()}
    return frozenset(read)


def _is_read(path: Path, read: frozenset[tuple[str, ...]]) -> bool:
    """Whether a template reads that key, something below it, or the section around it."""
    return any(path[: len(key)] == key[: len(path)] for key in read)


def _elsewhere(key: str, path: Path, defaults: Mapping[str, Any]) -> str:
    """Where the chart has a key of that name, if at one place near the root only."""
    places = [place for place in _paths(defaults, ()) if place[-1] == key and place != path]
    return dotted(places[0]) if len(places) == 1 else ""


def _paths(values: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for key, item in values.items():
        yield (*path, key)
        if isinstance(item, Mapping) and len(path) < 3:
            yield from _paths(item, (*path, key))
