"""Digests and commits in a report, shortened as git does: only while no two begin alike."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator

from generator.core.problem import Problem
from generator.diff.model import Change
from generator.impact.finding import Finding
from generator.report.model import EnvironmentDiff, FieldChange, Report

_DIGEST = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9A-Za-z])")
_SHORTEST = 12

Words = Callable[[str], str]


def shortened(report: Report) -> Report:
    """The report for people; a digest stays as it is where twelve digits do not tell it apart."""
    found = {digest for text in _texts(report) for digest in _DIGEST.findall(text)}
    if not found or len({digest[:_SHORTEST] for digest in found}) < len(found):
        return report

    def short(text: str) -> str:
        return _DIGEST.sub(lambda match: f"{match[0][:_SHORTEST]}…", text)

    return dataclasses.replace(
        report,
        environments=tuple(_environment(item, short) for item in report.environments),
        impact=_findings(report.impact, short),
        problems=_problems(report.problems, short),
        fields=_fields(report.fields, short),
    )


def _texts(report: Report) -> Iterator[str]:
    for _, finding in report.every_finding:
        yield finding.message
    for problem in report.every_problem:
        yield problem.message
    for item in report.environments:
        yield from (change.diff for change in (*item.changes, *item.drift))
    for fields in (report.fields, *(item.fields for item in report.environments)):
        yield from (text for field in fields for text in (field.before, field.after))


def _environment(item: EnvironmentDiff, short: Words) -> EnvironmentDiff:
    return dataclasses.replace(
        item,
        changes=_changes(item.changes, short),
        drift=_changes(item.drift, short),
        impact=_findings(item.impact, short),
        problems=_problems(item.problems, short),
        fields=_fields(item.fields, short),
    )


def _changes(changes: Iterable[Change], short: Words) -> tuple[Change, ...]:
    return tuple(dataclasses.replace(item, diff=short(item.diff)) for item in changes)


def _findings(findings: Iterable[Finding], short: Words) -> tuple[Finding, ...]:
    return tuple(
        dataclasses.replace(item, message=short(item.message), brief=short(item.brief))
        for item in findings
    )


def _problems(problems: Iterable[Problem], short: Words) -> tuple[Problem, ...]:
    return tuple(
        dataclasses.replace(item, message=short(item.message), hint=short(item.hint))
        for item in problems
    )


def _fields(fields: Iterable[FieldChange], short: Words) -> tuple[FieldChange, ...]:
    return tuple(
        dataclasses.replace(item, before=short(item.before), after=short(item.after))
        for item in fields
    )
