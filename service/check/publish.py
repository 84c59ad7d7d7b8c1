"""How a check is told: one status, one comment, one report to keep."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Sequence
from html import escape
from typing import Any

from generator.core.errors import UserError
from generator.core.problem import Severity
from generator.forge.port import Annotation
from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState as ForgeState
from generator.redaction.text import redact_prose
from generator.report import html, json_report, markdown
from generator.report.budget import SMALLEST, cost
from generator.report.escape import clipped, code, fence, prose
from generator.report.model import Report
from service.check.assess import Findings
from service.check.reporter import Reporter, Superseded, Target
from service.check.verdict import Verdict
from service.model.job import STATUS_CONTEXT, CheckOutcome, State

_STATES = {
    State.SUCCESS: ForgeState.SUCCESS,
    State.FAILURE: ForgeState.FAILURE,
    State.ERROR: ForgeState.ERROR,
    State.NEUTRAL: ForgeState.SUCCESS,
}

_WORDS = {
    State.SUCCESS: "passed",
    State.FAILURE: "failed",
    State.ERROR: "could not be done",
    State.NEUTRAL: "waiting",
}
_PATCH = "<details><summary>Patch that brings the tree up to date: git apply</summary>\n\n"
_END = "\n\n</details>\n"

MOST_ANNOTATIONS = 200
MOST = 16 << 20
"""Characters of a kept report; it is compressed."""
_BEGINNING = 200_000
_LEVELS = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.INFO: "notice"}


def neutral(reporter: Reporter, head: str, reason: str) -> CheckOutcome:
    """Nothing to judge: a status, and no comment."""
    reporter.status(head, ForgeState.SUCCESS, reason)
    return CheckOutcome(State.NEUTRAL, reason, head)


def fault(reporter: Reporter, head: str, reason: str, author: str = "") -> CheckOutcome:
    """The check could not be done; a writer's override still stands, but not that of `author`."""
    grants = reporter.request.grants
    override = (grants.without(author) if author else grants).override
    state, summary = State.ERROR, reason
    if override is not None:
        state = State.SUCCESS
        summary = f"overridden by @{override.author}: {override.reason} ({reason})"
    if head:
        # Where even this is refused, the outcome still carries the reason.
        with contextlib.suppress(UserError, Superseded):
            reporter.status(head, _STATES[state], redact_prose(summary))
    return CheckOutcome(state, redact_prose(summary), head)


def publish(
    reporter: Reporter,
    target: Target,
    found: Findings,
    verdict: Verdict,
    remarks: Sequence[str] = (),
    patch: str = "",
) -> CheckOutcome:
    """Comment and status, comment first: who sees the status finds the comment there.

    Before that the pull request is read again: one that was closed or has moved on is left alone.
    """
    headline = f"{_WORDS[verdict.state]}: {verdict.summary}"
    problems = (*found.report.problems, *verdict.notes)
    report = dataclasses.replace(found.report, problems=problems, verdict=headline)
    summary = redact_prose(verdict.summary)
    text = as_json(report, verdict, found, patch)
    page = redact_prose(as_html(report))
    outcome = CheckOutcome(verdict.state, summary, target.head, text, page, verdict.environments)
    context = reporter.request.context
    limits, url = context.forge.limits, context.report_url
    if not target.group:
        reporter.pull()
        # What a writer may answer with, with the commit that it is for.
        commands = [f"/gen-env accept {rule} {target.head}" for rule in verdict.refused]
        if verdict.waiting:
            commands = [f"/gen-env ok-to-test {target.head}"]
        budget = limits.comment_budget - cost(reporter.marker) - 1
        words: dict[str, Any] = {"remarks": remarks, "commands": commands, "patch": patch}
        body = compose(verdict.state, verdict.summary, report, budget=budget, url=url, **words)
        reporter.comment(redact_prose(body))
    # The same for forges that have check runs, with remarks at lines.
    state = ForgeState.PENDING if verdict.waiting else _STATES[verdict.state]
    listed = "\n".join((prose(summary), *(f"- {prose(remark)}" for remark in remarks)))
    full = redact_prose(markdown.render(report, budget=limits.check_text))
    lines = at_lines(report)
    shown = ForgeCheck(STATUS_CONTEXT, state, summary, listed, full, url, lines)
    reporter.status(target.head, state, summary, shown)
    return outcome


def compose(
    state: State,
    summary: str,
    report: Report,
    *,
    budget: int,
    url: str = "",
    remarks: Sequence[str] = (),
    commands: Sequence[str] = (),
    patch: str = "",
) -> str:
    """The comment in at most `budget` bytes: verdict, remarks, the report, the patch.

    `remarks` are our own sentences, `commands` what a writer may answer with. A patch that takes
    more than a third of the room is named by its size and left out: half a patch is of no use.
    """
    head = f"### gen-env: {_WORDS[state]}\n\n{prose(clipped(summary, 1_000))}\n\n"
    head += "".join(f"- {prose(clipped(remark, 1_000))}\n" for remark in remarks)
    head += "".join(f"- {code(command)}\n" for command in commands)
    if url:
        head += f"\n[Full report](<{url}>)\n"
    tail = _patched(patch, budget // 3)
    room = budget - cost(head) - cost(tail) - 2
    body = markdown.render(report, budget=room) if room >= SMALLEST else ""
    return f"{head}\n{body}\n{tail}".rstrip("\n") + "\n"


def _patched(patch: str, budget: int) -> str:
    if not patch:
        return ""
    mark = fence(patch)
    text = f"{_PATCH}{mark}diff\n{patch.rstrip()}\n{mark}{_END}"
    if cost(text) <= budget:
        return text
    lines = patch.count("\n")
    return f"The patch has {lines:,} lines and is left out; `gen-env generate` makes it.\n"


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


def at_lines(report: Report) -> tuple[Annotation, ...]:
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
