"""What was found in one place: the values of a release, and what is known of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from generator.core.basis import UNKNOWN, NotRead, Version
from generator.core.layered import Path
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import AMBIGUOUS
from generator.helmvalues.chart_kind import (
    OTHERS,
    UMBRELLA_KEY,
    OtherChart,
    Shape,
    looks_official,
    misplaced,
    nested,
    other_chart,
    shape_of,
)
from generator.helmvalues.dependency import Parent
from generator.helmvalues.layers import ValuesLayer, located, stacked
from generator.helmvalues.values import Engine
from generator.yaml.reader import Document

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
MISPLACED = Rule(
    "values/misplaced-block",
    Severity.ERROR,
    "A block `airflow:` in values of the chart itself",
    "The chart reads no such block; only a chart that depends on it hands one down.",
    command="check",
)
SWITCHED_OFF = Rule(
    "values/switched-off",
    Severity.WARNING,
    "The parent chart leaves Airflow's chart out",
    "A condition or tag of Chart.yaml switches the dependency off: nothing of it is deployed.",
    "helm.sh/docs/topics/charts, Chart Dependency",
    command="check",
)


ADDRESS = "address of "
"""How what is not read begins where it is not known which repository gives the chart."""


@dataclasses.dataclass(frozen=True, slots=True)
class Borrowed:
    """A file or folder that was read here, and the git source that the release takes it from."""

    what: str
    path: str
    address: str
    revision: str
    where: str


@dataclasses.dataclass(frozen=True)
class ValuesSource:
    """The values of one release, as the user wrote them, and what is known of the release.

    `values` are unwrapped when a parent chart nests them below `key`; `layers` stand lowest first.
    `chart` is unknown unless something names an exact version. `not_read` is everything of the
    release that was not looked at; with `partial` some of the values are among it, so that a key
    that is absent here may be set there. With `usable` False there is nothing to check.
    """

    path: str
    kind: Kind
    values: Mapping[str, Any]
    layers: tuple[ValuesLayer, ...]
    engine: Engine = "argocd"
    release: str = "airflow"
    namespace: str = "airflow"
    chart: Version = UNKNOWN
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    name: str = ""
    deployers: tuple[Mapping[str, Any], ...] = ()
    """The object that deploys the release, without the values that it carries, and its sources in
    other files."""
    borrowed: tuple[Borrowed, ...] = ()
    """What was read here and comes from a git source, be it this repository or another."""
    parent: Parent | None = None
    key: str = ""
    partial: bool = False
    usable: bool = True
    problems: tuple[Problem, ...] = ()
    not_read: tuple[NotRead, ...] = ()
    server_side: bool = False
    """Whether the file says, by its kind or an option, that objects are applied server-side."""

    @property
    def chart_version(self) -> str:
        """The exact version that something names, or ''."""
        return self.chart.version

    @property
    def identified(self) -> bool:
        """Whether it is known that the chart is Airflow's, from more than a name of something."""
        return self.kind == "values" or self.parent is not None or looks_official(self.values)

    def locate(self, path: Path) -> tuple[str, int | None]:
        """File and line of a path in `values`, or of its nearest written ancestor."""
        inner: Path = (self.key, *path) if self.key else path
        file, line = located(self.layers, inner)
        return file or self.path, line


def judged(source: ValuesSource, problems: Sequence[Problem]) -> ValuesSource:
    """The source with its values stacked, unwrapped and recognised.

    A Chart.yaml decides where the values of Airflow stand; without one their keys do.
    """
    stack = stacked(source.layers)
    found = [*source.problems, *problems, *_ambiguities(source.layers)]
    parent = source.parent.running(stack) if source.parent else None
    if parent is not None and parent.key:
        source = dataclasses.replace(source, parent=parent, chart=parent.version)
    if parent is not None and parent.publisher == "other":
        return dataclasses.replace(source, usable=False, problems=(*found, _foreign(parent)))
    key, values = _unwrapped(parent, stack)
    other = _other(parent, values)
    if other is not None:
        found.append(_other_problem(source, other))
    elif not key and misplaced(stack):
        found.append(_misplaced(source))
        values = {name: value for name, value in values.items() if name != UMBRELLA_KEY}
    off = parent.switched_off(stack) if parent is not None else ""
    if off:
        found.append(_switched_off(source, off))
    return dataclasses.replace(
        source,
        values=values,
        key=key,
        usable=other is None and not off and bool(source.layers or not problems),
        problems=tuple(found),
        not_read=(*source.not_read, *(parent.not_read if parent else ())),
    )


def _unwrapped(parent: Parent | None, stack: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if parent is not None:
        return parent.key, parent.unwrapped(stack)
    inner = nested(stack)
    return (UMBRELLA_KEY, inner) if inner is not None else ("", stack)


def _other(parent: Parent | None, values: Mapping[str, Any]) -> OtherChart | None:
    """The other publisher's chart that this is, told by its repository, else by the keys."""
    if parent is not None and parent.publisher:
        return next((item for item in OTHERS if item.shape == parent.publisher), None)
    shape: Shape = shape_of(values)
    return other_chart(shape)


def _other_problem(source: ValuesSource, other: OtherChart) -> Problem:
    return OTHER_CHART.problem(
        f"these are values of {other.title}",
        path=source.path,
        hint=other.hint,
    )


def _foreign(parent: Parent) -> Problem:
    return NO_VALUES.problem(
        "the chart of this folder is not Airflow's, and names no dependency `airflow`",
        path=parent.path,
        hint="give the values of the chart that brings Airflow; the dependencies of dependencies"
        " are not read",
    )


def _misplaced(source: ValuesSource) -> Problem:
    file, line = located(source.layers, (UMBRELLA_KEY,))
    return MISPLACED.problem(
        f"the chart ignores the block `{UMBRELLA_KEY}:`: its own keys belong at the root",
        path=file or source.path,
        line=line,
        hint="move the block's keys to the root; if a parent chart hands the block down, check the"
        " file beside that chart's Chart.yaml",
    )


def _switched_off(source: ValuesSource, key: str) -> Problem:
    file, line = located(source.layers, tuple(key.split(".")))
    return SWITCHED_OFF.problem(
        f"{key} is false: the release has no Airflow, and nothing of it was checked",
        path=file or source.path,
        line=line,
        hint=f"set {key}: true where Airflow runs",
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


def second_document(document: Document) -> Problem:
    """A values file of more than one document."""
    return NO_VALUES.problem(
        "Helm reads only the first document of a values file: this one has no effect",
        path=document.path,
        line=document.line(()),
        hint="move its keys into the first document, or into a file of its own",
    )
