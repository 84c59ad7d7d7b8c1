"""A release as a plain file describes it: rendered, and as one side of a comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from generator.actions.check import ChartFacts
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.diff.model import Facts, Side
from generator.helmvalues.read import ValuesSource, load
from generator.pipeline.generate import Charts
from generator.pipeline.side import NOT_POSSIBLE
from generator.release.v1.nondeterminism import PINS
from generator.render import normalise
from generator.render.request import Renderer, RenderFailure, RenderRequest
from generator.report.assemble import environment_diff
from generator.report.model import EnvironmentDiff, Report

NOT_READ = Rule(
    "values/not-read",
    Severity.WARNING,
    "Values that a comparison does without",
    "They stand elsewhere: in a Secret, another repository or at a URL.",
    command="diff",
)

CHART, KUBERNETES = "1.22.0", "1.34.2"
"""What is assumed where a plain file does not say."""


@dataclasses.dataclass(frozen=True)
class PlainReleases:
    """Charts and Helm for files that belong to no definition."""

    charts: Charts
    renderer: Renderer
    chart: str | None = None
    kube_version: str | None = None

    def facts(self, version: str) -> ChartFacts | None:
        """What checks need of a chart version; an unnamed one is `chart`."""
        archive = self.charts.find(self.chart or version or CHART, None)
        if archive is None:
            return None
        return ChartFacts(archive.version, archive.values(), archive.schema())

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
            values=source.values,
            kube_version=self.kube_version or source.kube_version or KUBERNETES,
        )

    def side(self, revision: str, files: Files, path: str) -> dict[str, Side]:
        """Each release in a file as a side; none where the file is not there."""
        if files.read(path) is None:
            return {}
        found = {}
        for source in load(files, path):
            found[f"{path} ({source.release})"] = self._side(revision, source)
        return found

    def _side(self, revision: str, source: ValuesSource) -> Side:
        if not source.usable:
            return Side(revision, failure=source.problems[0])
        version = self.chart or source.chart_version or CHART
        facts = self.facts(source.chart_version)
        if facts is None:
            problem = NOT_POSSIBLE.problem(
                self.charts.missing(version),
                path=source.path,
                hint=f"gen-env chart pull {version}",
            )
            return Side(revision, failure=problem)
        answer = normalise.render(self.renderer, self._request(source, facts), PINS)
        values = source.values
        known = Facts(
            airflow_version=str(values.get("airflowVersion") or facts.values.get("airflowVersion")),
            chart_version=facts.version,
            kubernetes_version=self.kube_version or source.kube_version or KUBERNETES,
            engine=self.renderer.engine_version(),
            executor=str(values.get("executor") or facts.values.get("executor")),
            values=values,
        )
        if isinstance(answer, RenderFailure):
            return Side(revision, failure=answer.problems(path=source.path)[0])
        random = normalise.problems(answer.random, environment="", path=source.path)
        return Side(
            revision,
            answer.manifests,
            dataclasses.replace(known, notes=answer.notes),
            source.namespace,
            problems=(*source.problems, *_unread(source), *random),
        )


def _unread(source: ValuesSource) -> Iterator[Problem]:
    """Values that cannot be read from here: the comparison does without them on both sides."""
    for item in source.not_done:
        message = f"compared without {item.check}: {item.reason}"
        yield NOT_READ.problem(message, path=source.path, hint=item.hint)


def compare(
    base: tuple[str, Files], head: tuple[str, Files], path: str, plain: PlainReleases
) -> Report:
    """The report on one file at two revisions; UserError where it is in neither."""
    before = plain.side(base[0], base[1], path)
    after = plain.side(head[0], head[1], path)
    if not before and not after:
        raise UserError("this file is in neither revision", path=path)
    found: list[EnvironmentDiff] = [
        environment_diff(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
    ]
    return Report(base[0], head[0], tuple(found))
