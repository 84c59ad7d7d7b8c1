"""`gen-env check`: every fault we know of in plain values, an Application or a HelmRelease."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.core.basis import UNKNOWN, Basis, NotRead, Origin, Version, together
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.parallel import mapped
from generator.core.problem import NotDone, Problem, Severity, ordered
from generator.core.rule import Rule
from generator.git.clone import Clone
from generator.helmvalues import placeholders
from generator.helmvalues.found import NO_VALUES
from generator.helmvalues.read import ValuesSource, load, load_together
from generator.helmvalues.values import ValuesInput, merged, running_airflow
from generator.kube.resource import Object
from generator.lint.objects import consistency, crd_schema, kubernetes_schema
from generator.lint.registry import value_problems
from generator.lint.values.deprecated import deprecated_problems, renamed_key_problems
from generator.lint.values.schema import SCHEMA, schema_problems
from generator.lint.values.unknown_keys import UNKNOWN as UNKNOWN_KEY
from generator.lint.values.unknown_keys import refused_key_problems, unknown_key_problems
from generator.release import chart_lines
from generator.render.request import SCHEMA as CHART_SCHEMA

UNREADABLE = Rule(
    "file/unreadable",
    Severity.ERROR,
    "A file that cannot be read",
    "It is missing, too large, not UTF-8 or not YAML that Helm accepts.",
    command="check",
)

# Found in the values already, with the value that causes them.
_COVERED = frozenset(
    {consistency.HOOK.id, consistency.PLAIN_SECRET.id, consistency.NO_RESOURCES.id}
)


@dataclasses.dataclass(frozen=True)
class ChartFacts:
    """What the checks need of one chart version: its own values, their schema and its traits."""

    version: str
    values: Mapping[str, Any]
    schema: Mapping[str, Any]
    known: Version = UNKNOWN
    """The same version, with its digest and where it is known from."""
    traits: ChartTraits | None = None


ChartFor = Callable[[ValuesSource], ChartFacts | None]
"""The chart of a release, or None when it is not at hand; where no file names a version, the one
that is assumed."""

Render = Callable[[ValuesSource, ChartFacts], tuple[Sequence[Object], Sequence[Problem]]]
"""Renders the values; a render that fails gives no objects and says why."""


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What a values file does not say of its release."""

    tier: str = ""
    kube_version: str = ""
    kube_origin: Origin = Origin.ASSUMED
    crds: crd_schema.Definitions | None = None
    version_of: Callable[[ValuesSource], Version] = lambda source: source.chart
    """Which chart version a release is judged by, whether that chart is at hand or not."""
    not_read: Callable[[ValuesSource], tuple[NotRead, ...]] = lambda source: source.not_read
    """What was not looked at of a release."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """One release that was looked at, and the basis of what is said about it."""

    path: str
    kind: str
    name: str
    basis: Basis

    def as_json(self) -> dict[str, Any]:
        """The documented shape of an entry of `releases`."""
        return {
            "path": self.path,
            "kind": self.kind,
            "name": self.name,
            "basis": self.basis.as_json(),
        }


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """Findings, checks that could not be made, and what was looked at."""

    problems: tuple[Problem, ...]
    not_done: tuple[NotDone, ...]
    checked: tuple[str, ...] = ()
    releases: tuple[Judged, ...] = ()

    @property
    def basis(self) -> Basis:
        """That of all releases together."""
        return together(item.basis for item in self.releases)

    def as_json(self) -> dict[str, Any]:
        """`{"problems", "notDone", "basis", "releases"}`."""
        return {
            "problems": [problem.as_json() for problem in self.problems],
            "notDone": [item.as_json() for item in self.not_done],
            "basis": self.basis.as_json(),
            "releases": [item.as_json() for item in self.releases],
        }


def check(
    files: Files,
    paths: Sequence[str],
    *,
    chart_for: ChartFor,
    render: Render | None = None,
    circumstances: Circumstances | None = None,
    together: bool = False,
    clone: Clone | None = None,
) -> CheckResult:
    """Check these files of a repository, or of a user's clone; all problems of all files at once.

    With `together` plain values files are layers of one release, the last one winning. A file
    that cannot be read is a problem of its own and does not stop the others.
    """
    problems: list[Problem] = []
    not_done: list[NotDone] = []
    releases: list[Judged] = []
    around = circumstances or Circumstances()
    sources = list(_sources(files, paths, problems, clone, layered=together))
    for source in sources:
        if source.identified or not source.usable:
            problems += source.problems
        not_done += (_unread(item) for item in around.not_read(source))
    usable = [item for item in sources if item.usable]
    charts = [chart_for(item) if item.identified else None for item in usable]
    pairs = list(zip(usable, charts, strict=True))
    checked = list(mapped(lambda pair: source_problems(*pair, render, around), pairs))
    names = _names(usable)
    problems += _by_release(usable, names, [found for found, _ in checked])
    for (source, chart), name, (_, undone) in zip(pairs, names, checked, strict=True):
        not_done += undone
        releases.append(Judged(source.path, source.kind, name, _basis(source, chart, around)))
    unique = tuple(sorted(set(not_done)))
    return CheckResult(ordered(dict.fromkeys(problems)), unique, tuple(paths), tuple(releases))


def _names(sources: Sequence[ValuesSource]) -> list[str]:
    """The releases' names, after their namespaces where a file has several of one name."""
    names = [source.name or source.release for source in sources]
    places = [(source.path, name) for source, name in zip(sources, names, strict=True)]
    return [
        f"{source.namespace}/{name}".lstrip("/")
        if name and places.count((source.path, name)) > 1
        else name
        for source, name in zip(sources, names, strict=True)
    ]


def _by_release(
    sources: Sequence[ValuesSource], names: Sequence[str], found: Sequence[Sequence[Problem]]
) -> Iterator[Problem]:
    """The findings, with the release's name where a file has several that do not share them."""
    by_path: dict[str, list[tuple[str, frozenset[Problem]]]] = {}
    for source, name, problems in zip(sources, names, found, strict=True):
        by_path.setdefault(source.path, []).append((name, frozenset(problems)))
    for releases in by_path.values():
        shared = frozenset.intersection(*(all_of_it for _, all_of_it in releases))
        yield from shared
        for name, all_of_it in releases:
            own = all_of_it - shared
            yield from (dataclasses.replace(item, environment=name) for item in own)


def _unread(item: NotRead) -> NotDone:
    reason = f"{item.where}: {item.reason}" if item.where else item.reason
    return NotDone(item.what, reason, item.hint)


def _basis(source: ValuesSource, chart: ChartFacts | None, around: Circumstances) -> Basis:
    own = source.kube_version
    not_read = around.not_read(source)
    if chart is None and source.identified:
        version = around.version_of(source).version or "of this release"
        not_read = (*not_read, NotRead(f"chart airflow {version}", source.path, "not available"))
    return Basis(
        chart_lines.judged(chart.known) if chart else around.version_of(source),
        airflow_version(source, chart),
        Version(own, Origin.NAMED) if own else Version(around.kube_version, around.kube_origin),
        tuple(sorted(set(not_read))),
    )


def airflow_version(source: ValuesSource, chart: ChartFacts | None) -> Version:
    """The Airflow that runs by the values: by theirs alone where the chart is not available."""
    values = source.values
    return running_airflow(values, merged(chart.values, values) if chart else values)


def _sources(
    files: Files,
    paths: Sequence[str],
    problems: list[Problem],
    clone: Clone | None,
    *,
    layered: bool,
) -> Iterator[ValuesSource]:
    groups = [tuple(paths)] if layered else [(path,) for path in paths]
    for group in groups:
        try:
            if layered:
                yield load_together(files, group)
            else:
                yield from load(files, group[0], clone)
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
    source: ValuesSource, chart: ChartFacts | None, render: Render | None, around: Circumstances
) -> tuple[list[Problem], list[NotDone]]:
    """Every check of one release that its chart, at hand or not, allows.

    Of a release whose values are not all read only what is written is judged: nothing is said
    that follows from a key that is absent here.
    """
    if not source.identified:
        return [], _undone("cannot tell whether this is Airflow's chart", _HINT_CHECK)
    if chart is None:
        version = around.version_of(source)
        reason = f"chart airflow {version.version or 'of this release'} is not available"
        known = None if version.origin is Origin.ASSUMED else key_table.traits(version.version)
        if known is None:
            return [], _undone(reason, _HINT_CHART)
        undone = _undone(reason, _HINT_CHART, SCHEMA.id, *_WHOLE)
        return list(_by_table(source, known, around)), undone
    if source.kind == "values" and not source.parent and _none_known(source.values, chart):
        nothing = NO_VALUES.problem(
            "the chart knows none of the keys of this file: it may be another program's",
            path=source.path,
            hint="give a values file of the Airflow chart",
        )
        return [nothing], _undone("this is not known to be a values file", "", *_WHOLE)
    values = values_input(source, chart, around)
    if source.partial:
        return _written(values, chart), _undone(
            "not all of the values were read", _HINT_CHECK, *_WHOLE
        )
    problems = [
        *schema_problems(values, chart.schema),
        *unknown_key_problems(values),
        *deprecated_problems(values),
        *value_problems(values),
    ]
    if render is None:
        reason = "no renderer is available"
        return problems, [NotDone("rendered objects", reason, "install helm or helm-python-sdk")]
    objects, undone = _rendered(source, values, chart, render, around)
    if any(item.rule == SCHEMA.id for item in problems):
        # Helm refuses the same values once more, without a line.
        objects = [item for item in objects if item.rule != CHART_SCHEMA.id]
    return [*problems, *objects], undone


def _by_table(source: ValuesSource, chart: ChartTraits, around: Circumstances) -> Iterator[Problem]:
    """What the table of the chart's releases says of the keys that are written."""
    default = {"airflowVersion": chart.airflow}
    facts = ChartFacts(chart.version, default, {}, traits=chart)
    values = values_input(source, facts, around)
    yield from refused_key_problems(values)
    yield from unknown_key_problems(values)
    yield from renamed_key_problems(values)


def values_input(source: ValuesSource, chart: ChartFacts, around: Circumstances) -> ValuesInput:
    """The values over the chart's defaults, with everything known of the release."""
    user = placeholders.filled(source.values, chart.values, source.kind)
    return ValuesInput(
        user=user,
        merged=merged(chart.values, user),
        chart_version=chart.version,
        engine=source.engine,
        release=source.release,
        namespace=source.namespace,
        kube_version=source.kube_version or around.kube_version,
        tier=around.tier,
        locate=source.locate,
        defaults=chart.values,
        traits=chart.traits,
    )


def _none_known(values: Mapping[str, Any], chart: ChartFacts) -> bool:
    known = {*chart.values, "global"}
    return bool(values) and not any(key in known for key in values)


_HINT_CHART = "gen-env chart pull, or gen-env chart add FILE.tgz"
_HINT_CHECK = "check the values file itself, beside its Chart.yaml"
_WHOLE = ("values", "rendered objects")
_EVERY = (SCHEMA.id, UNKNOWN_KEY.id, *_WHOLE)


def _undone(reason: str, hint: str, *names: str) -> list[NotDone]:
    return [NotDone(name, reason, hint) for name in names or _EVERY]


def _written(values: ValuesInput, chart: ChartFacts) -> list[Problem]:
    """What can be said of keys that are written, whatever the rest may hold."""
    found = [
        *schema_problems(values, chart.schema),
        *unknown_key_problems(values),
        *deprecated_problems(values),
    ]
    return [item for item in found if item.line is not None]


def _rendered(
    source: ValuesSource,
    values: ValuesInput,
    chart: ChartFacts,
    render: Render,
    around: Circumstances,
) -> tuple[list[Problem], list[NotDone]]:
    objects, problems = render(source, chart)
    found = [dataclasses.replace(item, path=item.path or source.path) for item in problems]
    if not objects:
        return found, []
    context = consistency.Context(
        source.namespace,
        engine=source.engine,
        tier=around.tier,
        complete=False,
        values=values,
        server_side=source.server_side,
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
    found += (dataclasses.replace(item, path=item.path or source.path) for item in more)
    return found, not_done
