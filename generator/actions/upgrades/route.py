"""The order in which chart and Airflow of an environment move, one at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from generator.airflow.image_release import Reference, Runs, Source, known
from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.chart.version import parse_version
from generator.core.problem import Problem
from generator.diff import what_runs
from generator.pipeline import chart_traits
from generator.pipeline.generate import Built, Charts
from generator.release import leaving
from generator.release.expressed import AIRFLOW, cannot_run, is_too_old


class State(NamedTuple):
    """What an environment runs."""

    chart: str
    airflow: str


TraitsOf = Callable[[str], ChartTraits | None]
"""What a chart version does with keys; None where nothing is known of it."""


def ordered(
    name: str, before: Built | None, chart: str | None, airflow: str | None, charts: Charts
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Why the goal cannot be, and the commands that lead there one at a time."""
    resolved = before.resolved if before else None
    if before is None or resolved is None or chart is None:
        return (), ()
    now = resolved.environment
    start = State(now.chart.version, now.airflow.version)
    goal = State(chart, airflow or start.airflow)
    traits = chart_traits.known(goal.chart, charts)
    reason = cannot_run(traits, goal.airflow, adopted=now.adoption is not None) if traits else ""
    image = image_of(before)
    follows = now.image.tag is None and image.airflow == start.airflow
    old_image = not follows and _is_old(image, traits)
    problems = []
    if traits and (reason or old_image):
        oldest = ".".join(map(str, traits.airflow_floor or ()))
        field = ("airflow", "version") if reason else ("image", "tag")
        goal = State(chart, oldest or goal.airflow) if reason else goal
        told = (
            f"needs Airflow {oldest} or later: the image holds {image.airflow}, by {image.source}"
        )
        message = f"chart {chart} {reason or told}"
        hint = "take the steps in order, and verify the environment after each"
        problems.append(resolved.problem(AIRFLOW, message, *field, hint=hint))
    states = route(start, goal, lambda version: chart_traits.known(version, charts))
    commands = []
    for old, new in itertools.pairwise((start, *states)):
        moves_chart = new.chart != old.chart
        if moves_chart and old_image and _is_old(image, chart_traits.known(new.chart, charts)):
            commands.append(f"image.tag: set an image with Airflow {old.airflow} or later")
            old_image = False
        step = f"--chart {new.chart}" if moves_chart else f"--airflow {new.airflow}"
        commands.append(f"gen-env upgrade {name} {step}")
    return tuple(problems), tuple(commands) if len(commands) > 1 else ()


def image_of(before: Built | None) -> Runs:
    """The Airflow of the image that the environment has; by its fields alone without a release."""
    if before is None or before.resolved is None:
        return Runs()
    environment = before.resolved.environment
    image = environment.image
    if before.release is not None:
        return what_runs.by_values(before.release.values, image.facts)
    version = environment.airflow.version
    reference = Reference(image.repository, image.tag or version, image.digest or "")
    return known(reference, version, image.facts, None)


def _is_old(image: Runs, traits: ChartTraits | None) -> bool:
    """Whether the image itself says that it holds an Airflow that the chart does not support."""
    says = image.source in (Source.FACTS, Source.TAG, Source.CLAIMED_TAG)
    return traits is not None and says and is_too_old(traits, image.airflow)


def with_moves(
    name: str, before: Built | None, chart: str | None, commands: tuple[str, ...], charts: Charts
) -> tuple[str, ...]:
    """The commands, with what has to be moved before a chart that comes without it."""
    traits = chart_traits.known(chart, charts) if chart else None
    if before is None or before.release is None or traits is None:
        return commands
    parts = [
        part
        for part in leaving.used(before.release.environment)
        if (part.key in leaving.SWITCHES or not part.field.startswith("values."))
        and not traits.has(part.key)
    ]
    if not parts:
        return commands
    *earlier, last = commands or (f"gen-env upgrade {name} --chart {chart}",)
    texts = (part.advice.replace("ENV", name) for part in parts)
    moves = [
        text if text.startswith("gen-env ") else f"{part.field}: {text}"
        for part, text in zip(parts, texts, strict=True)
    ]
    return (*earlier, *moves, last)


def route(start: State, goal: State, traits_of: TraitsOf) -> tuple[State, ...]:
    """The states to go through, the goal last: the fewest, each of which its chart can run.

    Each step moves the chart or Airflow, never both, and never backwards. Empty if no such order
    exists, or nothing moves.
    """
    if start == goal or not _runs(goal, traits_of):
        return ()
    charts = _between(start.chart, goal.chart, key_table.versions())
    floors = {floor for chart in charts if (floor := _floor(traits_of(chart)))}
    airflows = _between(start.airflow, goal.airflow, sorted(floors))
    paths: list[tuple[State, ...]] = [(start,)]
    for _ in range(len(charts) + len(airflows)):
        paths = [
            (*path, state)
            for path in paths
            for state in _next(path[-1], charts, airflows)
            if _runs(state, traits_of)
        ]
        paths = list({path[-1]: path for path in reversed(paths)}.values())
        if arrived := [path for path in paths if path[-1] == goal]:
            return arrived[0][1:]
    return ()


def _next(state: State, charts: Sequence[str], airflows: Sequence[str]) -> list[State]:
    """The states that one move forward leads to, the farthest first."""
    later = charts[charts.index(state.chart) + 1 :]
    newer = airflows[airflows.index(state.airflow) + 1 :]
    newer = [airflow for airflow in newer if not _too_far(state.airflow, airflow)]
    moves = [State(chart, state.airflow) for chart in reversed(later)]
    return moves + [State(state.chart, airflow) for airflow in reversed(newer)]


def _too_far(old: str, new: str) -> bool:
    """Whether Airflow's own guide wants a step between: to 3 from 2.7 or later alone."""
    low, high = parse_version(old), parse_version(new)
    return bool(low and high and high.major > 2 and (low.major, low.minor) < (2, 7))


def _between(first: str, last: str, known: Sequence[str]) -> list[str]:
    """The two versions and those known between them, in order."""
    low, high = parse_version(first), parse_version(last)
    parsed = ((name, parse_version(name)) for name in known)
    inner = [name for name, item in parsed if item and low and high and low < item < high]
    return [name for name, _ in itertools.groupby([first, *inner, last])]


def _floor(traits: ChartTraits | None) -> str:
    return ".".join(map(str, traits.airflow_floor)) if traits and traits.airflow_floor else ""


def _runs(state: State, traits_of: TraitsOf) -> bool:
    traits = traits_of(state.chart)
    return traits is None or not cannot_run(traits, state.airflow)
