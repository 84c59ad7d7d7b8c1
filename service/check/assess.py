"""What there is to say about a change: generation, every check, both renders, their difference."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from generator.actions import change_findings, validate
from generator.actions.validate import NotDone
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.pipeline import novelty, repository, review
from generator.pipeline.changed_files import changed_files
from generator.pipeline.repository import NEWER, SCHEMAS, TREE_RULES, Catalogue
from generator.pipeline.toolchain import Charts, Renderer, charts_of
from generator.redaction.text import redact
from generator.report.model import EnvironmentDiff, Finding, Report
from service.telemetry.logs import kind_and_place

BUG = Rule(
    "check/bug",
    Severity.ERROR,
    "gen-env failed while it compared an environment",
    "The effect of the change on it is unknown.",
    command="service",
)

_JOBS = 2
"""Renders of one check that go side by side."""
CHART = "chart values and rendered objects"
"""How `validate` calls the checks that it cannot make without the chart."""

NEITHER = "it can be read on neither side"

UNTRUSTED = "not rendered: it comes from a fork, and no writer has allowed this commit yet"


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """Two revisions as they are to be judged: the head with the settings of its base.

    `versions` are the environments whose tree another gen-env made, `problems` what is known
    already, `impact` what changed settings would do later; with `another` accepts must come from
    another person than the author.
    """

    base: Files
    head: Files
    base_name: str
    head_name: str
    names: tuple[str, ...]
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    impact: tuple[Finding, ...] = ()
    another: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Tools:
    """What judging takes: charts, Helm, definitions of custom resources, the time."""

    charts: Charts
    renderer: Renderer
    crds: Path | None
    now: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """The report, what could not be checked, and how many findings definitions suppress."""

    report: Report
    not_done: tuple[NotDone, ...] = ()
    suppressed: int = 0
    another: bool = False


def full(subject: Subject, tools: Tools) -> Findings:
    """Render and compare both sides, then run every check on the head."""
    before, after = repository.load(subject.base), repository.load(subject.head)
    broken = {problem.environment for problem in after.problems}
    known = before.definitions.keys() | after.definitions.keys() | broken
    names = [name for name in subject.names if name in known]
    compared = _compared(subject, names, tools) if names else ()
    checked = _validated(subject, after, tools)
    without = {item.environment for item in checked.not_done if item.check == CHART}
    # A change is not to blame for a base that does not render: it may be the remedy.
    fair = [
        _eased(item) if item.name in without or is_without_base(item) else item for item in compared
    ]
    return _joined(subject, fair, checked, _standing(subject, before, tools))


def _compared(subject: Subject, names: Sequence[str], tools: Tools) -> tuple[EnvironmentDiff, ...]:
    """The environments compared; one that brings gen-env down does so for itself alone."""
    sides = review.Revisions(subject.base, subject.head, subject.base_name, subject.head_name)
    toolchain = review.Toolchain(tools.charts, tools.renderer, _JOBS)
    try:
        report = review.review(sides, names, None, toolchain)
        return (*report.environments, *report.untouched)
    except UserError:
        raise
    except Exception as error:
        if len(names) == 1:
            why = f"a bug of gen-env stops the comparison: {kind_and_place(error)}"
            bug = BUG.problem(why, environment=names[0], hint="please report it")
            failed = EnvironmentDiff(names[0], rendered=False, reason="gen-env failed")
            return (dataclasses.replace(failed, problems=(bug,)),)
    return tuple(item for name in names for item in _compared(subject, [name], tools))


def static(subject: Subject, tools: Tools) -> Findings:
    """Every check of text; nothing of the head is rendered, no object of it is shown."""
    before, after = repository.load(subject.base), repository.load(subject.head)
    checked = _validated(subject, after, tools, unrendered=UNTRUSTED)
    standing = _standing(subject, before, tools, unrendered=UNTRUSTED)
    compared = [EnvironmentDiff(name, rendered=False, reason=UNTRUSTED) for name in subject.names]
    return _joined(subject, compared, checked, standing)


def _standing(
    subject: Subject, before: Catalogue, tools: Tools, unrendered: str = ""
) -> validate.Validation:
    """What the same checks find in the base: a change is not to blame for it."""
    base = dataclasses.replace(subject, head=subject.base)
    return _validated(base, before, tools, unrendered)


def _validated(
    subject: Subject, after: Catalogue, tools: Tools, unrendered: str = ""
) -> validate.Validation:
    here = [name for name in subject.names if name in after.definitions]
    known = {*subject.names, ""}
    broken = tuple(problem for problem in after.problems if problem.environment in known)
    if not here:
        return validate.Validation((), broken, (), ())
    charts, renderer = charts_of(tools.charts, subject.head), None if unrendered else tools.renderer
    toolchain = validate.Toolchain(
        subject.head, charts, renderer, tools.now, tools.crds, unrendered=unrendered
    )
    found = validate.validate(here, toolchain)
    standing = tuple(problem for problem in found.problems if problem.environment in known)
    return dataclasses.replace(found, problems=(*broken, *standing))


def is_without_base(item: EnvironmentDiff) -> bool:
    """Whether the head could be rendered, and the base it is to be compared with could not."""
    return not item.rendered and item.reason.startswith("the base")


def _eased(item: EnvironmentDiff) -> EnvironmentDiff:
    """A render that was not possible for other reasons than the change's own is no error of it."""
    problems = tuple(
        dataclasses.replace(problem, severity=Severity.WARNING)
        if problem.rule.startswith("render/")
        else problem
        for problem in item.problems
    )
    return dataclasses.replace(item, problems=problems)


def _joined(
    subject: Subject,
    compared: Iterable[EnvironmentDiff],
    checked: validate.Validation,
    standing: validate.Validation,
) -> Findings:
    """One report: each environment with all that was found about it."""
    problems = _safe((*subject.problems, *checked.problems), subject)
    diffs = {name: EnvironmentDiff(name, rendered=False, reason=NEITHER) for name in subject.names}
    for item in compared:
        weighed = tuple(_weighed(problem, subject) for problem in item.problems)
        diffs[item.name] = dataclasses.replace(item, problems=weighed)
    sides = (subject.base, subject.head, subject.changed)
    unrendered = [item.name for item in diffs.values() if not item.rendered]
    impact = (*subject.impact, *review.root_impact(*sides))
    files = changed_files(*sides, diffs, unrendered)
    report = Report(
        subject.base_name, subject.head_name, tuple(diffs.values()), (), impact=impact, files=files
    )
    report = novelty.joined(report, subject.names, problems)
    before = _safe(standing.problems, subject)
    report = novelty.marked(report, before, novelty.Change(*sides))
    report = change_findings.with_silenced(report, standing, checked)
    return Findings(report, checked.not_done, len(checked.suppressed), subject.another)


def _weighed(problem: Problem, subject: Subject) -> Problem:
    """A tree of another gen-env's making is worth a note: this one would write it differently."""
    tree = problem.rule in TREE_RULES
    schema = problem.path.startswith(f"{SCHEMAS}/") and problem.path not in subject.changed
    other = problem.environment in subject.versions
    if (tree and (schema or other)) or (other and problem.rule == NEWER.id):
        return dataclasses.replace(problem, severity=Severity.INFO)
    return problem


def _safe(problems: Iterable[Problem], subject: Subject) -> list[Problem]:
    """Messages of other tools may quote values; what is published is masked first."""
    return [
        dataclasses.replace(problem, message=redact(problem.message), hint=redact(problem.hint))
        for problem in (_weighed(problem, subject) for problem in problems)
    ]
