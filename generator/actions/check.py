"""`gen-env check`: every fault we know of in plain values, an Application or a HelmRelease."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import NotDone, Problem, Severity, ordered
from generator.core.rule import Rule
from generator.helmvalues.read import ValuesSource, load, load_together
from generator.helmvalues.values import ValuesInput, merged
from generator.kube.resource import Object
from generator.lint.objects import consistency, crd_schema, kubernetes_schema
from generator.lint.registry import value_problems
from generator.lint.values.deprecated import deprecated_problems
from generator.lint.values.schema import SCHEMA, schema_problems
from generator.lint.values.unknown_keys import UNKNOWN, unknown_key_problems
from generator.render.request import SCHEMA as CHART_SCHEMA

UNREADABLE = Rule(
    "file/unreadable",
    Severity.ERROR,
    "A file that cannot be read",
    "It is missing, too large, not UTF-8 or not the YAML that Helm takes.",
    command="check",
)

# Found in the values already, with the value that causes them.
_COVERED = frozenset(
    {consistency.HOOK.id, consistency.PLAIN_SECRET.id, consistency.NO_RESOURCES.id}
)


@dataclasses.dataclass(frozen=True)
class ChartFacts:
    """What the checks need of one chart version: its own values and their schema.

    `subcharts` maps the names of its subcharts to their default values.
    """

    version: str
    values: Mapping[str, Any]
    schema: Mapping[str, Any]
    subcharts: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)


ChartFor = Callable[[str], ChartFacts | None]
"""The chart of that version ('' when the file names none), or None when it is not at hand."""

Render = Callable[[ValuesSource, ChartFacts], tuple[Sequence[Object], Sequence[Problem]]]
"""Renders the values; a render that fails gives no objects and says why."""


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What a values file does not say of its release."""

    tier: str = ""
    kube_version: str = ""
    crds: crd_schema.Definitions | None = None


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """Findings, checks that could not be made, and what was looked at."""

    problems: tuple[Problem, ...]
    not_done: tuple[NotDone, ...]
    checked: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`{"problems", "notDone"}`, as validate gives them."""
        return {
            "problems": [problem.as_json() for problem in self.problems],
            "notDone": [item.as_json() for item in self.not_done],
        }


def check(
    files: Files,
    paths: Sequence[str],
    *,
    chart_for: ChartFor,
    render: Render | None = None,
    circumstances: Circumstances | None = None,
    together: bool = False,
) -> CheckResult:
    """Check these files of a repository; all problems of all files at once.

    With `together` plain values files are layers of one release, the last one winning. A file
    that cannot be read is a problem of its own and does not stop the others.
    """
    problems: list[Problem] = []
    not_done: list[NotDone] = []
    around = circumstances or Circumstances()
    for source in _sources(files, paths, problems, together=together):
        problems += source.problems
        not_done += source.not_done
        if source.usable:
            found, undone = source_problems(source, chart_for, render, around)
            problems += found
            not_done += undone
    unique = tuple(sorted(set(not_done)))
    return CheckResult(ordered(problems), unique, tuple(paths))


def _sources(
    files: Files, paths: Sequence[str], problems: list[Problem], *, together: bool
) -> Iterator[ValuesSource]:
    groups = [tuple(paths)] if together else [(path,) for path in paths]
    for group in groups:
        try:
            if together:
                yield load_together(files, group)
            else:
                yield from load(files, group[0])
        except UserError as error:
            problems.append(
                UNREADABLE.problem(
                    error.message,
                    path=error.path or group[0],
                    line=error.line,
                    hint=error.hint,
                )
            )


def source_problems(
    source: ValuesSource, chart_for: ChartFor, render: Render | None, around: Circumstances
) -> tuple[list[Problem], list[NotDone]]:
    """Every check of one release that its chart, at hand or not, allows."""
    chart = chart_for(source.chart_version)
    if chart is None:
        return _without_chart(source, around)
    values = values_input(source, chart, around)
    problems = [
        *schema_problems(values, chart.schema),
        *unknown_key_problems(values, chart.schema, chart.values, chart.subcharts),
        *deprecated_problems(values),
        *value_problems(values),
    ]
    if render is None:
        reason = "no renderer is at hand"
        return problems, [NotDone("rendered objects", reason, "install helm or helm-python-sdk")]
    found, undone = _rendered(source, chart, render, around)
    if any(item.rule == SCHEMA.id for item in problems):
        # Helm refuses the same values once more, without a line.
        found = [item for item in found if item.rule != CHART_SCHEMA.id]
    return [*problems, *found], undone


def values_input(source: ValuesSource, chart: ChartFacts, around: Circumstances) -> ValuesInput:
    """The values over the chart's defaults, with everything known of the release."""
    return ValuesInput(
        user=source.values,
        merged=merged(chart.values, source.values),
        chart_version=chart.version,
        engine=source.engine,
        release=source.release,
        namespace=source.namespace,
        kube_version=source.kube_version or around.kube_version,
        tier=around.tier,
        locate=source.locate,
        defaults=chart.values,
    )


def _without_chart(
    source: ValuesSource, around: Circumstances
) -> tuple[list[Problem], list[NotDone]]:
    """Renamed keys can be told from the values alone; nothing else can."""
    empty = ChartFacts(source.chart_version, {}, {})
    values = dataclasses.replace(values_input(source, empty, around), merged=dict(source.values))
    version = source.chart_version or "of this release"
    hint = "gen-env chart pull, or gen-env chart add FILE.tgz"
    missing = f"chart airflow {version} is not at hand"
    return list(deprecated_problems(values)), [
        NotDone(name, missing, hint)
        for name in (SCHEMA.id, UNKNOWN.id, "values", "rendered objects")
    ]


def _rendered(
    source: ValuesSource, chart: ChartFacts, render: Render, around: Circumstances
) -> tuple[list[Problem], list[NotDone]]:
    objects, problems = render(source, chart)
    found = [dataclasses.replace(item, path=item.path or source.path) for item in problems]
    if not objects:
        return found, []
    context = consistency.Context(
        source.namespace, engine=source.engine, tier=around.tier, secrets_known=False
    )
    checked = crd_schema.check_against(objects, around.crds)
    more: Iterable[Problem] = [
        *(item for item in consistency.problems(objects, context) if item.rule not in _COVERED),
        *checked.problems,
    ]
    not_done = list(checked.not_done)
    version = source.kube_version or around.kube_version
    if version:
        more = [*more, *kubernetes_schema.problems(objects, version)]
    else:
        not_done.append(NotDone(kubernetes_schema.SCHEMA.id, "no Kubernetes version is given"))
    return [*found, *(dataclasses.replace(item, path=source.path) for item in more)], not_done
