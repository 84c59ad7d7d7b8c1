"""The versions of the chart: the Airflow of each, and how far gen-env stands for it."""

from __future__ import annotations

from typing import NamedTuple

from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.release import chart_lines
from generator.release.chart_lines import Level
from generator.release.expressed import cannot_run


class Row(NamedTuple):
    """A chart version, the Airflow of its defaults, those that it runs, and the level."""

    version: str
    airflow: str
    runs: str
    level: Level


def row(traits: ChartTraits) -> Row:
    """One chart, by what its archive or the table of releases says."""
    return Row(traits.version, traits.airflow, _runs(traits), chart_lines.level(traits.version))


def releases() -> list[Row]:
    """The official releases that the table holds, oldest first."""
    known = (key_table.traits(version) for version in key_table.versions())
    return [row(traits) for traits in known if traits is not None]


def _runs(traits: ChartTraits) -> str:
    if traits.airflow_floor:
        return f"{'.'.join(map(str, traits.airflow_floor))} and later"
    return "2.x" if cannot_run(traits, "3.0.0") else "2.x and 3.x"
