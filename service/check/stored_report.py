"""The full report as it is kept, and the remarks at lines that a forge can show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from generator.core.problem import Problem, Severity
from generator.forge.port import Annotation
from generator.redaction.text import redact_prose
from generator.report import html, json_report
from generator.report.model import Report
from service.check.assess import Findings
from service.check.verdict import Verdict

MOST_ANNOTATIONS = 200
_LEVELS = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_json(report: Report, verdict: Verdict, found: Findings, patch: str) -> str:
    """The documented shape of `gen-env diff -o json`, with the check's own facts beside it."""
    content: dict[str, Any] = {
        "check": {
            "state": verdict.state.value,
            "summary": verdict.summary,
            "environments": dict(sorted(verdict.environments.items())),
            "notDone": [item.as_json() for item in found.not_done],
            "suppressed": found.suppressed,
            "patch": patch,
        },
        **json_report.as_json(report),
    }
    return redact_prose(json.dumps(content, indent=2)) + "\n"


def as_html(report: Report) -> str:
    """One page that needs nothing else."""
    return html.render(report)


def remarks(report: Report) -> tuple[Annotation, ...]:
    """Problems that have a line, the gravest first, as many as a page can bear."""
    found = list(_placed(report.problems))
    for item in report.environments:
        found += _placed(item.problems)
    order = list(_LEVELS.values())
    found.sort(key=lambda item: (order.index(item.level), item.path, item.line, item.title))
    return tuple(found[:MOST_ANNOTATIONS])


def _placed(problems: Iterable[Problem]) -> Iterator[Annotation]:
    for problem in problems:
        if problem.path and problem.line and not problem.is_aside:
            hint = f"\n{problem.hint}" if problem.hint else ""
            yield Annotation(
                problem.path,
                problem.line,
                _LEVELS[problem.severity],
                f"{problem.message}{hint}",
                problem.rule,
            )
