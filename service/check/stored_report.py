"""The full report as it is kept, and the remarks at lines that a forge can show."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from generator.core.problem import Severity
from generator.forge.port import Annotation
from generator.redaction.text import redact_prose
from generator.report import html, json_report, markdown
from generator.report.model import Report
from service.check.assess import Findings
from service.check.verdict import Verdict

MOST_ANNOTATIONS = 200
MOST = 16 << 20
"""Characters of a kept report; it is compressed."""
_BEGINNING = 200_000
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
    text = json.dumps(content, indent=2)
    if len(text) > MOST:
        content = {"check": {**content["check"], "patch": ""}, "omitted": _omitted(len(text))}
        text = json.dumps(content, indent=2)
    return redact_prose(text) + "\n"


def as_html(report: Report) -> str:
    """One page that needs nothing else; of a report that is too large the beginning, as text."""
    page = html.render(report)
    if len(page) <= MOST:
        return page
    text = markdown.render(report, budget=_BEGINNING)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>gen-env</title></head>'
        f"<body><p>{escape(_omitted(len(page)))}</p><pre>{escape(text)}</pre></body></html>\n"
    )


def _omitted(size: int) -> str:
    return f"The report has {size >> 20} MiB, more than the {MOST >> 20} MiB that are kept."


def remarks(report: Report) -> tuple[Annotation, ...]:
    """Problems that have a line, the gravest first, as many as a page can bear."""
    found = []
    for problem in report.every_problem:
        if problem.path and problem.line and not problem.is_aside:
            text = f"{problem.message}\n{problem.hint}".rstrip("\n")
            level = _LEVELS[problem.severity]
            found.append(Annotation(problem.path, problem.line, level, text, problem.rule))
    order = list(_LEVELS.values())
    found.sort(key=lambda item: (order.index(item.level), item.path, item.line, item.title))
    return tuple(found[:MOST_ANNOTATIONS])
