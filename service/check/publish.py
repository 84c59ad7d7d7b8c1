"""How a check is told: one status, one comment, one report to keep."""

from __future__ import annotations

import contextlib
import dataclasses

from generator.core.errors import UserError
from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState as ForgeState
from generator.redaction.text import redact_prose
from generator.report import markdown
from generator.report.budget import cost
from generator.report.escape import prose
from generator.report.model import Report
from service.check import comment, stored_report
from service.check.assess import Findings
from service.check.reporter import Reporter, Superseded, Target
from service.check.verdict import Verdict
from service.model.check import STATUS_CONTEXT, CheckOutcome, CheckState

_STATES = {
    CheckState.SUCCESS: ForgeState.SUCCESS,
    CheckState.FAILURE: ForgeState.FAILURE,
    CheckState.ERROR: ForgeState.ERROR,
    CheckState.NEUTRAL: ForgeState.SUCCESS,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """What is to be published; `remarks` are sentences of ours for the comment."""

    found: Findings
    verdict: Verdict
    remarks: tuple[str, ...] = ()
    patch: str = ""


def pending(reporter: Reporter, head: str) -> None:
    """Say that the check has begun."""
    reporter.status(head, ForgeState.PENDING, "checking")


def out_of_date(reporter: Reporter, head: str) -> None:
    """The last word on a head that our own commit is about to follow."""
    reporter.status(
        head, ForgeState.FAILURE, "the tree was out of date: see the commit that follows"
    )


def neutral(reporter: Reporter, head: str, reason: str) -> CheckOutcome:
    """Nothing to judge: a status, and no comment."""
    reporter.status(head, ForgeState.SUCCESS, reason)
    return CheckOutcome(CheckState.NEUTRAL, reason, head)


def fault(reporter: Reporter, head: str, reason: str, author: str = "") -> CheckOutcome:
    """The check could not be done; a writer's override still stands, but not that of `author`."""
    grants = reporter.request.grants
    override = (grants.without(author) if author else grants).override
    state, summary = CheckState.ERROR, reason
    if override is not None:
        state = CheckState.SUCCESS
        summary = f"overridden by @{override.author}: {override.reason} ({reason})"
    if head:
        # Where even this is refused, the outcome still carries the reason.
        with contextlib.suppress(UserError, Superseded):
            reporter.status(head, _STATES[state], redact_prose(summary))
    return CheckOutcome(state, redact_prose(summary), head)


def publish(reporter: Reporter, target: Target, draft: Draft) -> CheckOutcome:
    """Comment and status, comment first: who sees the status finds the comment there.

    Before that the pull request is read again: one that was closed or has moved on is left alone.
    """
    verdict = draft.verdict
    report = draft.found.report
    headline = f"{comment.word_of(verdict.state)}: {verdict.summary}"
    report = dataclasses.replace(
        report, problems=(*report.problems, *verdict.notes), verdict=headline
    )
    outcome = CheckOutcome(
        verdict.state,
        redact_prose(verdict.summary),
        target.head,
        stored_report.as_json(report, verdict, draft.found, draft.patch),
        redact_prose(stored_report.as_html(report)),
        verdict.environments,
    )
    if not target.group:
        reporter.pull()
        reporter.comment(_comment(reporter, target, draft, report))
    shown = _shown(reporter, draft, report)
    reporter.status(target.head, shown.state, outcome.summary, shown)
    return outcome


def _forge_state(verdict: Verdict) -> ForgeState:
    return ForgeState.PENDING if verdict.waiting else _STATES[verdict.state]


def _comment(reporter: Reporter, target: Target, draft: Draft, report: Report) -> str:
    context = reporter.request.context
    text = comment.compose(
        draft.verdict.state,
        draft.verdict.summary,
        report,
        budget=context.forge.limits.comment_budget - cost(reporter.marker) - 1,
        url=context.report_url,
        remarks=draft.remarks,
        commands=_commands(draft.verdict, target),
        patch=draft.patch,
    )
    return redact_prose(text)


def _commands(verdict: Verdict, target: Target) -> list[str]:
    """What a writer may answer with, with the commit that it is for."""
    if verdict.waiting:
        return [f"/gen-env ok-to-test {target.head}"]
    return [f"/gen-env accept {rule} {target.head}" for rule in verdict.refused]


def _shown(reporter: Reporter, draft: Draft, report: Report) -> ForgeCheck:
    """The same for forges that have check runs, with remarks at lines."""
    text = markdown.render(report, budget=reporter.request.context.forge.limits.check_text)
    summary = redact_prose(draft.verdict.summary)
    return ForgeCheck(
        STATUS_CONTEXT,
        _forge_state(draft.verdict),
        summary,
        "\n".join((prose(summary), *(f"- {prose(remark)}" for remark in draft.remarks))),
        redact_prose(text),
        reporter.request.context.report_url,
        stored_report.remarks(report),
    )
