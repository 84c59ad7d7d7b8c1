"""What was found in one place: the values of a release, and what is known of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from generator.core.problem import NotDone, Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import AMBIGUOUS
from generator.helmvalues.chart_kind import UMBRELLA_KEY, Shape, nested, other_chart, shape_of
from generator.helmvalues.layers import ValuesLayer, located, stacked
from generator.helmvalues.values import Engine, Path

Kind = Literal["values", "Application", "ApplicationSet", "HelmRelease"]

OTHER_CHART = Rule(
    "values/other-chart",
    Severity.ERROR,
    "Values of another Airflow chart",
    "The official chart would ignore nearly all of them.",
    command="check",
)
NO_VALUES = Rule(
    "values/no-values",
    Severity.ERROR,
    "A file without Airflow values",
    "gen-env reads values files, Argo CD Applications and Flux HelmReleases.",
    command="check",
)

EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")


@dataclasses.dataclass(frozen=True)
class ValuesSource:
    """The values of one release, as the user wrote them, and what is known of the release.

    `values` are unwrapped when an umbrella chart nests them; `layers` stand lowest first.
    `chart_version` is '' when it is not an exact version. `problems` and `not_done` were found on
    the way; with `usable` False there is nothing to check.
    """

    path: str
    kind: Kind
    values: Mapping[str, Any]
    layers: tuple[ValuesLayer, ...]
    engine: Engine = "argocd"
    release: str = "airflow"
    namespace: str = "airflow"
    chart_version: str = ""
    kube_version: str = ""
    umbrella: bool = False
    usable: bool = True
    problems: tuple[Problem, ...] = ()
    not_done: tuple[NotDone, ...] = ()

    def locate(self, path: Path) -> tuple[str, int | None]:
        """File and line of a path in `values`, or of its nearest written ancestor."""
        inner: Path = (UMBRELLA_KEY, *path) if self.umbrella else path
        file, line = located(self.layers, inner)
        return file or self.path, line


def judged(source: ValuesSource, problems: Sequence[Problem]) -> ValuesSource:
    """The source with its values stacked, unwrapped and recognised."""
    values = stacked(source.layers)
    shape: Shape = shape_of(values)
    other = other_chart(shape)
    found = [*source.problems, *problems, *_ambiguities(source.layers)]
    if other is not None:
        found.append(
            OTHER_CHART.problem(
                f"these are values of {other.title}",
                path=source.path,
                hint=other.hint,
            )
        )
    return dataclasses.replace(
        source,
        values=nested(values) or values,
        umbrella=shape == "umbrella",
        usable=other is None and bool(source.layers or not problems),
        problems=tuple(found),
    )


def _ambiguities(layers: Sequence[ValuesLayer]) -> Iterator[Problem]:
    for layer in layers:
        for path, message in layer.ambiguous:
            yield AMBIGUOUS.problem(
                message,
                path=layer.file,
                line=layer.line(path),
                hint="put it in quotes",
                severity=AMBIGUOUS.severity_in(""),
            )


def no_mapping(path: str, line: int | None) -> Problem:
    """Values that are text or a list."""
    return NO_VALUES.problem(
        "values must be a mapping of keys",
        path=path,
        line=line,
        hint="write `key: value` lines",
    )


def table(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}
