"""Under which name a chart reads a setting: the newest name that it knows."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from generator.chart.traits import ChartTraits
from generator.release import chart_lines
from generator.release.chart_line import OldKeys, Renamed


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """A key that a chart reads; `reshaped` if it takes the value in another form."""

    key: str
    reshaped: bool = False


def spelled(setting: str, traits: ChartTraits) -> str | None:
    """The name under which the chart reads the setting, or None where it has no key for it.

    `setting` is the newest name: `workers.celery.keda.enabled` is `workers.keda.enabled` for a
    chart that does not know `workers.celery`.
    """
    known = spelling(setting, traits)
    return known.key if known else None


def spelling(setting: str, traits: ChartTraits) -> Spelling | None:
    """As `spelled`, and whether the value has another form under that name."""
    return next(spellings(setting, traits), None)


def spellings(setting: str, traits: ChartTraits) -> Iterator[Spelling]:
    """All names under which the chart reads the setting, newest first."""
    names = names_of(setting, chart_lines.closest(traits.version).old_keys)
    return (name for name in names if traits.has(name.key))


def names_of(setting: str, keys: OldKeys) -> Iterator[Spelling]:
    """All names of a setting, newest first."""
    waiting, seen = [Spelling(setting)], {setting}
    while waiting:
        name = waiting.pop(0)
        yield name
        for older in _older(name, keys):
            if older.key not in seen:
                seen.add(older.key)
                waiting.append(older)


def _older(name: Spelling, keys: OldKeys) -> Iterator[Spelling]:
    """The names just before: a section's older name counts for all that is below it, and first."""
    parts = name.key.split(".")
    rows = _by_new_name(keys.renamed, keys.older)
    for end in range(1, len(parts) + 1):
        for row in rows.get(".".join(parts[:end]), ()):
            key = ".".join([row.old, *parts[end:]])
            yield Spelling(key, name.reshaped or row.reshaped)


@functools.lru_cache(maxsize=4)
def _by_new_name(*tables: tuple[Renamed, ...]) -> dict[str, list[Renamed]]:
    rows: dict[str, list[Renamed]] = {}
    for row in (row for table in tables for row in table if row.reversible):
        for key in row.new:
            rows.setdefault(key, []).append(row)
    return rows
