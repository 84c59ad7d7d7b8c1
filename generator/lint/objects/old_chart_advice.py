"""Advice on rendered objects where the chart may have no key for what it asks for."""

from __future__ import annotations

import dataclasses

from generator.core.problem import Problem
from generator.lint.objects import consistency, pod_security
from generator.release import chart_lines
from generator.release.chart_lines import Level
from generator.release.release import Release

_NEWER = "move to a newer chart: gen-env upgrade {name} --chart VERSION"
_WAYS = {
    pod_security.RESTRICTED.id: f"set security.podSecurity: baseline, or {_NEWER}",
    pod_security.BASELINE.id: f"set security.podSecurity: privileged, or {_NEWER}",
    consistency.PLAIN_SECRET.id: _NEWER,
}


def advised(problem: Problem, release: Release) -> Problem:
    """The finding, with the other way out on a chart that gen-env was not tried with."""
    version = release.environment.chart.version
    way = _WAYS.get(problem.rule)
    if way is None or chart_lines.level(version) is not Level.DERIVED:
        return problem
    other = f"where chart {version} has no key for that, {way.format(name=release.resolved.name)}"
    return dataclasses.replace(problem, hint=f"{problem.hint}; {other}")
