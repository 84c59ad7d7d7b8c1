"""Which releases of the chart values can be for that name none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generator.airflow import releases
from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.core.layered import lookup
from generator.diff import what_runs

_TAGS = ("images.airflow.tag", "defaultAirflowTag", "images.airflow.digest", "defaultAirflowDigest")


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """The releases of the chart that values fit, newest first, and why no newer one does."""

    versions: tuple[str, ...]
    why: str

    def best(self, at_hand: Iterable[str]) -> str:
        """The newest that is at hand, else the newest."""
        known = set(at_hand)
        return next((item for item in self.versions if item in known), self.versions[0])


def bound(values: Mapping[str, Any]) -> Bound | None:
    """The releases that these values can be for, or None where nothing rules one out.

    `airflowVersion` rules out charts that refuse to render it. An image's tag alone rules out
    those that render another major version of Airflow by default.
    """
    given = str(lookup(values, "airflowVersion") or "")
    numbers = releases.parse(given)
    if numbers is None:
        tagged = what_runs.by_values(values).airflow
        why = f"newer charts render another major version than the image's, {tagged}, by default"
        return _bound(lambda chart: _is_default(chart, tagged), why) if tagged else None
    why = f"newer charts refuse Airflow {releases.dotted(numbers)}"
    # Nobody who lets the chart choose the image asks it for another major version than that has.
    chosen = any(lookup(values, key) for key in _TAGS)
    refused = _bound(lambda chart: _renders(chart, numbers), why)
    return refused and _bound(
        lambda chart: _renders(chart, numbers) and (chosen or _is_default(chart, given)), why
    )


def _bound(fits: Callable[[ChartTraits], bool], why: str) -> Bound | None:
    charts = [key_table.traits(version) for version in reversed(key_table.versions())]
    known = [chart for chart in charts if chart is not None]
    fitting = [chart for chart in known if fits(chart)]
    if not fitting or fitting[0] is known[0]:
        return None
    return Bound(tuple(chart.version for chart in fitting), why)


def _is_default(chart: ChartTraits, airflow: str) -> bool:
    return chart.airflow.split(".")[0] == airflow.removeprefix("v").split(".")[0]


def _renders(chart: ChartTraits, airflow: tuple[int, ...]) -> bool:
    return chart.airflow_floor is None or airflow >= chart.airflow_floor
