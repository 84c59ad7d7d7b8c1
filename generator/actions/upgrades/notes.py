"""Sentences about what differs between two charts for an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.chart import comparison
from generator.chart.chart import ChartArchive
from generator.core.counted import counted
from generator.core.layered import lookup
from generator.pipeline.generate import Built, Charts


def of_charts(before: Built | None, old: str, new: str, charts: Charts) -> Iterator[str]:
    """What is removed, renamed, required, narrowed, changed and added between two charts."""
    first, second = charts.find(old, None), charts.find(new, None)
    if first is None or second is None:
        lacking = old if first is None else new
        yield f"not compared: {charts.missing(lacking)}"
        return
    values = before.release.values if before and before.release else {}
    yield from _differences(first, second, values)


def _differences(
    first: ChartArchive, second: ChartArchive, values: Mapping[str, Any]
) -> Iterator[str]:
    found = comparison.compare((first.values(), first.schema()), (second.values(), second.schema()))

    def used(key: str) -> str:
        return " (used here)" if lookup(values, key) is not None else ""

    renamed = dict(found.renamed)
    for key in found.removed:
        if key not in renamed:
            yield f"removed value {key}{used(key)}"
        elif used(key):
            yield f"renamed value {key} → {renamed[key]} (used here)"
    if others := sum(not used(key) for key in renamed):
        yield f"{counted(others, 'renamed value')}, not used here"
    yield from _deprecated(found, values)
    for key in found.required:
        yield f"newly required value {key}"
    for key in found.narrowed:
        yield f"value {key} accepts less than before{used(key)}"
    for key, _, _ in found.changed:
        yield f"changed default of {key}{used(key)}"
    if found.added:
        shown = ", ".join(found.added[:12]) + (" …" if len(found.added) > 12 else "")
        yield f"{counted(len(found.added), 'new value')}: {shown}"


def _deprecated(found: comparison.Comparison, values: Mapping[str, Any]) -> Iterator[str]:
    """Deprecated keys that this environment sets; how many others there are."""
    here = [item for item in found.deprecated if lookup(values, item[0]) is not None]
    for key, advice in here:
        yield f"deprecated value {key} (used here)" + (f": use {advice}" if advice else "")
    if others := len(found.deprecated) - len(here):
        yield f"{counted(others, 'deprecated value')} more, not used here"
