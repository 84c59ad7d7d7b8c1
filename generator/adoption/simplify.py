"""The same values with less text: old names renamed, what nobody reads and defaults left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.chart.traits import ChartTraits
from generator.core.layered import Path, lookup
from generator.core.problem import Problem
from generator.helmvalues.values import ValuesInput
from generator.lint.values.deprecated import DEPRECATED, IGNORED, deprecated_problems
from generator.lint.values.unknown_keys import MISSPELT, UNKNOWN, unknown_key_problems
from generator.release import fit
from generator.release.chart_line import Renamed
from generator.release.setting import copied
from generator.render.request import canonical

_MISSING = object()


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A finding about one key of the user's values."""

    path: Path
    problem: Problem


def ignored(values: ValuesInput) -> tuple[Named, ...]:
    """Keys that the chart does not read: unknown, misspelt, or from another chart or time."""
    found = [
        *_recorded(values, unknown_key_problems),
        *_recorded(values, deprecated_problems),
    ]
    return tuple(item for item in found if item.problem.rule in _UNREAD)


_UNREAD = (UNKNOWN.id, MISSPELT.id, IGNORED.id)


def deprecated(values: ValuesInput) -> tuple[Named, ...]:
    """Keys under an old name, which still work."""
    found = _recorded(values, deprecated_problems)
    return tuple(item for item in found if item.problem.rule == DEPRECATED.id)


def _recorded(values: ValuesInput, check: Any) -> Iterator[Named]:
    """Each finding with the path that it asked a place for: findings carry places, not paths."""
    asked: list[Path] = []

    def locate(path: Path) -> tuple[str, int | None]:
        asked.append(path)
        return values.locate(path)

    for problem in check(dataclasses.replace(values, locate=locate)):
        yield Named(asked[-1], problem)


def renamed(values: Mapping[str, Any], rows: Sequence[Renamed]) -> dict[str, Any]:
    """The values under today's names, where the old name and nothing at the new one is written."""
    result: dict[str, Any] = copied(values)
    for row in rows:
        old = row.old.split(".")
        value = lookup(result, row.old)
        targets = [new.split(".") for new in row.new]
        plain = old[0] == "workers" and not any("[" in part for new in targets for part in new)
        if value is None or not plain or row.old in ("workers.celery", "workers.kubernetes"):
            continue
        if any(lookup(result, new) not in (None, {}, []) for new in row.new):
            continue
        without(result, tuple(old))
        for target in targets:
            put(result, tuple(target), copied(value))
    return result


def with_new_names(values: ValuesInput, traits: ChartTraits | None) -> ValuesInput:
    """The same values with today's names beside the older ones that the chart reads."""
    if traits is None:
        return values
    user, _ = fit.canonical(values.user, traits)
    merged, _ = fit.canonical(values.merged, traits)
    return dataclasses.replace(values, user=user, merged=merged)


def dropped(values: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """The values without these keys."""
    result: dict[str, Any] = copied(values)
    for path in sorted(paths, key=len, reverse=True):
        without(result, path)
    return result


def pruned(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values without those that only repeat the chart's own."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        default = defaults.get(key, _MISSING)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            below = pruned(value, default)
            if below:
                result[str(key)] = below
        elif default is _MISSING or not same(value, default):
            result[str(key)] = copied(value)
    return result


def same(one: Any, other: Any) -> bool:
    """Equal to the type: 1, "1" and true are three values to a chart."""
    return canonical(one) == canonical(other)


def put(values: dict[str, Any], path: Path, value: Any) -> None:
    """Set a value, making the mappings on the way; what is no mapping there gives way."""
    node = values
    for part in path[:-1]:
        if not isinstance(node.get(str(part)), dict):
            node[str(part)] = {}
        node = node[str(part)]
    node[str(path[-1])] = value


def without(values: dict[str, Any], path: Path) -> None:
    """Take a key away, and the mappings that become empty with it; list items stay."""
    if not path or any(isinstance(part, int) for part in path):
        return
    node: Any = values
    for part in path[:-1]:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or path[-1] not in node:
        return
    del node[path[-1]]
    if not node and len(path) > 1:
        without(values, path[:-1])
