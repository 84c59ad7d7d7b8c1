"""Which table of chart knowledge holds for which chart version, and what was tried with it."""

from __future__ import annotations

import dataclasses
import enum

from generator.chart import key_table
from generator.chart.version import parse_version
from generator.core.basis import Version
from generator.release.chart_line import ChartLine
from generator.release.v1.line import LINE as V1

_LINES: tuple[ChartLine, ...] = (V1,)
"""From the oldest to the newest."""

TRIED = ("1.16.", "1.17.", "1.18.", "1.19.", "1.20.", "1.22.")
"""Prefixes of the versions that the tests render gen-env's own samples with."""

_MAJORS = (1, 2)


class Level(enum.StrEnum):
    """How far gen-env stands for a chart version."""

    TRIED = "tried"
    DERIVED = "derived"
    """What its keys are is read off its archive; nothing was tried with it."""
    REFUSED = "refused"


def level(version: str) -> Level:
    """How far gen-env stands for this version of the official chart."""
    if version.startswith(TRIED):
        return Level.TRIED
    return Level.DERIVED if line_for(version) else Level.REFUSED


def line_for(version: str) -> ChartLine | None:
    """The chart line for this chart version, or None: the official chart has no such version."""
    parsed = parse_version(version)
    return closest(version) if parsed is not None and parsed.major in _MAJORS else None


def closest(version: str) -> ChartLine:
    """The line whose names are those of this chart version, else the newest one."""
    own = (line for line in _LINES if version.startswith(line.versions))
    return next(own, _LINES[-1])


def needs_traits(version: str) -> bool:
    """Whether the chart may have other keys than its line writes, so that its archive is asked."""
    return not version.startswith(closest(version).versions)


def judged(chart: Version) -> Version:
    """The version with the table that it is judged by, where that is another version's.

    Of each release in the table of releases its own keys are known.
    """
    known = not needs_traits(chart.version) or chart.version in key_table.versions()
    if not chart.version or known:
        return chart
    return dataclasses.replace(chart, table=f"{_LINES[-1].versions[-1]}x")
