"""Keys of `values:` under the names that another chart version reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.chart.traits import ChartTraits
from generator.core.layered import lookup
from generator.release import chart_lines
from generator.yaml import edit, reader

Move = tuple[str, tuple[str, ...]]
"""A key, and those that say the same."""


def moves(values: Mapping[str, Any], traits: ChartTraits) -> Iterator[Move]:
    """The keys that the chart reads under other names: newer ones, else those that it still has.

    A key whose value changes its form with the name, or with a name that is taken, is left out; so
    is a section of which each part goes elsewhere. Of two new names the first counts.
    """
    found: dict[str, tuple[str, ...]] = {}
    for old, new in _moves(values, traits):
        found.setdefault(old, new)
    for old, new in found.items():
        value = lookup(values, old)
        section = isinstance(value, Mapping) and bool(value)
        if not (section and all(f"{old}.{key}" in found for key in value)):
            yield old, new


def _moves(values: Mapping[str, Any], traits: ChartTraits) -> Iterator[Move]:
    keys = chart_lines.closest(traits.version).old_keys
    for row in (*keys.renamed, *keys.older):
        if row.reshaped or not row.reversible or row.airflow3_only or "[" in "".join(row.new):
            continue
        if any(name.startswith(f"{row.old}.") for name in row.new):
            continue
        given = [name for name in row.new if lookup(values, name) is not None]
        present = lookup(values, row.old) is not None
        read = [name for name in row.new if traits.has(name)]
        if present and not given and len(read) == len(row.new):
            yield row.old, row.new
        elif not present and len(row.new) == len(given) == 1 and not read and traits.has(row.old):
            yield given[0], (row.old,)


def moved(text: str, wanted: list[Move], file: str) -> str:
    """The definition with these keys of `values:` at their new places, the deepest first."""
    for old, new in sorted(wanted, key=lambda move: -move[0].count(".")):
        value = lookup(reader.read(text, file).data, ("values", *old.split(".")))
        text = _without(text, ("values", *old.split(".")), file)
        for name in new:
            text = edit.set_value(text, ("values", *name.split(".")), value, file=file)
    return text


def _without(text: str, path: tuple[str, ...], file: str) -> str:
    """The text without a key, and without the mappings that become empty."""
    text = edit.remove(text, path, file=file)
    above = path[:-1]
    if len(above) > 1 and lookup(reader.read(text, file).data, above) in ({}, None):
        return _without(text, above, file)
    return text
