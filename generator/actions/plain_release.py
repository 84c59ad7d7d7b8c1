"""A release as a plain file describes it: rendered, and as one side of a comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from generator.actions.check import ChartFacts, airflow_version
from generator.chart import traits_cache
from generator.chart.select import choose
from generator.core.basis import Basis, NotRead, Origin, Version
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.diff import what_runs
from generator.diff.model import Side
from generator.git.clone import Clone
from generator.helmvalues import placeholders
from generator.helmvalues.plausible_chart import bound
from generator.helmvalues.read import ValuesSource, load, other_objects
from generator.helmvalues.values import merged
from generator.pipeline import novelty
from generator.pipeline.generate import Charts
from generator.pipeline.side import NOT_POSSIBLE
from generator.release import chart_lines
from generator.release.versions import CHART, KUBERNETES
from generator.render import normalise
from generator.render.request import Renderer, RenderFailure, RenderRequest
from generator.report.assemble import environment_diff
from generator.report.model import EnvironmentDiff, Report


@dataclasses.dataclass(frozen=True)
class At:
    """A revision: its name in the report, its files, and the clone that they are from."""

    name: str
    files: Files
    clone: Clone


@dataclasses.dataclass(frozen=True)
class PlainReleases:
    """Charts and Helm for files that belong to no definition."""

    charts: Charts
    renderer: Renderer
    chart: str | None = None
    kube_version: str | None = None
    repository: str = ""
    """Where cached charts are from, beside Airflow's own repository: `chart.url`."""

    def not_read(self, source: ValuesSource) -> tuple[NotRead, ...]:
        """What is not known of a release, its chart among it where that is of another place."""
        elsewhere = source.parent.elsewhere(self.repository) if source.parent else ()
        return (*source.not_read, *elsewhere)

    def version(self, source: ValuesSource) -> Version:
        """The chart version of a release: the one that a file names, else `chart`, else assumed.

        Of a range the newest version at hand is assumed; unknown where there is none. Without one,
        gen-env's own, or the newest release that the values can be for.
        """
        if source.chart.version:
            return source.chart
        if self.chart:
            return Version(self.chart, Origin.OPTION)
        wanted = source.parent.range if source.parent else ""
        if not wanted:
            limit = bound(source.values)
            if limit is None:
                return Version(CHART, Origin.ASSUMED)
            best = limit.best(self.charts.cache.versions("airflow"))
            return Version(best, Origin.ASSUMED, why=limit.why)
        newest = choose(self.charts.cache.versions("airflow"), wanted)
        return Version(newest, Origin.ASSUMED) if newest else Version()

    def facts(self, source: ValuesSource) -> ChartFacts | None:
        """What checks need of a release's chart; None where it is not at hand."""
        known = self.version(source)
        archive = self.charts.find(known.version, None) if known.version else None
        if archive is None:
            return None
        known = dataclasses.replace(known, version=archive.version, digest=archive.digest)
        return ChartFacts(
            archive.version,
            archive.values(),
            archive.schema(),
            known=known,
            traits=traits_cache.traits(archive),
        )

    def render(
        self, source: ValuesSource, facts: ChartFacts
    ) -> tuple[Sequence[Any], Sequence[Problem]]:
        """The rendered objects, or the problems that stood in the way."""
        answer = self.renderer.render(self._request(source, facts))
        if isinstance(answer, RenderFailure):
            return (), answer.problems(path=source.path)
        return answer.manifests, ()

    def _request(self, source: ValuesSource, facts: ChartFacts) -> RenderRequest:
        archive = self.charts.find(facts.version, None)
        assert archive is not None
        return RenderRequest(
            chart=archive.path,
            release=source.release,
            namespace=source.namespace,
            values=placeholders.filled(source.values, facts.values, source.kind),
            kube_version=self._kubernetes(source).version,
            api_versions=tuple(sorted(source.api_versions)),
        )

    def _kubernetes(self, source: ValuesSource) -> Version:
        if self.kube_version:
            return Version(self.kube_version, Origin.OPTION)
        if source.kube_version:
            return Version(source.kube_version, Origin.NAMED)
        return Version(KUBERNETES, Origin.ASSUMED)

    def side(self, at: At, path: str) -> dict[str, Side]:
        """Each release in a file as a side; none where the file is not there."""
        if at.files.read(path) is None:
            return {}
        sources = load(at.files, path, at.clone)
        releases = [source.release for source in sources]
        found = {}
        for source in sources:
            twice = releases.count(source.release) > 1
            name = f"{source.release} of {source.name}" if twice else source.release
            found[f"{path} ({name})"] = self._side(at.name, source)
        return found

    def _side(self, revision: str, source: ValuesSource) -> Side:
        if not source.usable or not source.identified:
            return self._not_rendered(revision, source, _unusable(source))
        facts = self.facts(source)
        basis = self._basis(source, facts)
        if facts is None:
            return self._not_rendered(revision, source, self._no_chart(source))
        pins = chart_lines.closest(facts.version).pins
        answer = normalise.render(self.renderer, self._request(source, facts), pins)
        values = source.values
        if isinstance(answer, RenderFailure):
            return self._not_rendered(revision, source, answer.problems(path=source.path)[0])
        known = dataclasses.replace(
            what_runs.claims(merged(facts.values, values)),
            chart_version=facts.version,
            kubernetes_version=basis.kubernetes.version,
            engine=self.renderer.engine_version(),
            executor=str(values.get("executor") or facts.values.get("executor")),
            values=values,
            warnings=answer.warnings,
        )
        random = normalise.problems(answer.random, environment="", path=source.path)
        return Side(
            revision,
            (*map(dict, source.deployers), *answer.manifests),
            known,
            source.namespace,
            problems=(*source.problems, *random),
            basis=basis,
        )

    def _not_rendered(self, revision: str, source: ValuesSource, failure: Problem) -> Side:
        reason = NotRead("the release", source.path, failure.message)
        return Side(revision, failure=failure, basis=self._basis(source, None).without([reason]))

    def _no_chart(self, source: ValuesSource) -> Problem:
        version = self.version(source).version
        asked = source.parent.range if source.parent else ""
        missing = f"the cache has no chart airflow in the range {asked}"
        return NOT_POSSIBLE.problem(
            self.charts.missing(version) if version else missing,
            path=source.path,
            hint=f"gen-env chart pull {version or 'VERSION'}",
        )

    def _basis(self, source: ValuesSource, facts: ChartFacts | None) -> Basis:
        return Basis(
            chart_lines.judged(facts.known) if facts else self.version(source),
            airflow_version(source, facts),
            self._kubernetes(source),
            tuple(sorted(set(self.not_read(source)))),
        )


def _unusable(source: ValuesSource) -> Problem:
    """Why there is nothing to render."""
    errors = [item for item in source.problems if item.severity is Severity.ERROR]
    if errors or source.problems:
        return (errors or list(source.problems))[0]
    message = "cannot tell whether this is Airflow's chart"
    return NOT_POSSIBLE.problem(message, path=source.path)


def compare(base: At, head: At, path: str, plain: PlainReleases) -> Report:
    """The report on one file at two revisions; UserError where it is in neither."""
    before, after = plain.side(base, path), plain.side(head, path)
    if not before and not after:
        raise UserError("file not found in either revision", path=path)
    others = [tuple(other_objects(at.files, path)) for at in (base, head)]
    if others[0] != others[1]:
        name = f"{path} (other objects)"
        before[name], after[name] = (
            Side(at.name, found) for at, found in zip((base, head), others, strict=True)
        )
    found: list[EnvironmentDiff] = [
        environment_diff(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
    ]
    report = Report(base.name, head.name, tuple(found))
    standing = [problem for side in before.values() for problem in side.problems]
    paths = {item.path for item in report.every_problem}
    changed = frozenset(path for path in paths if base.files.read(path) != head.files.read(path))
    return novelty.marked(report, standing, novelty.Change(base.files, head.files, changed))
