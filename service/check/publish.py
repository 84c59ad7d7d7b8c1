"""How a check is told: one status, one comment, one report to keep."""

from __future__ import annotations

import contextlib
import dataclasses

from generator.core.errors import UserError
from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState as ForgeState
from generator.forge.redaction import redact
from generator.report import markdown
from generator.report.budget import cost
from generator.report.escape import prose
from generator.report.model import Report
from service.check import comment
from service.check import report as record
from service.check.assess import Findings
from service.check.reporter import Outside, Superseded
from service.check.target import Target
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


def pending(outside: Outside, head: str) -> None:
    """Say that the check has begun."""
    outside.status(head, ForgeState.PENDING, "checking")


def out_of_date(outside: Outside, head: str) -> None:
    """The last word on a head that our own commit is about to follow."""
    outside.status(
        head, ForgeState.FAILURE, "the tree was out of date: see the commit that follows"
    )


def neutral(outside: Outside, head: str, reason: str) -> CheckOutcome:
    """Nothing to judge: a status, and no comment."""
    outside.status(head, ForgeState.SUCCESS, reason)
    return CheckOutcome(CheckState.NEUTRAL, reason, head)


def fault(outside: Outside, head: str, reason: str) -> CheckOutcome:
    """The check could not be done; a writer's override still stands."""
    override = outside.request.grants.override
    state, summary = CheckState.ERROR, reason
    if override is not None:
        state = CheckState.SUCCESS
        summary = f"overridden by {override.author}: {override.reason} ({reason})"
    if head:
        # Where even this is refused, the outcome still carries the reason.
        with contextlib.suppress(UserError, Superseded):
            outside.status(head, _STATES[state], redact(summary))
    return CheckOutcome(state, redact(summary), head)


def publish(outside: Outside, target: Target, draft: Draft) -> CheckOutcome:
    """Comment and status, comment first: who sees the status finds the comment there.

    Before that the pull request is read again: one that was closed or has moved on is left alone.
    """
    verdict = draft.verdict
    report = draft.found.report
    report = dataclasses.replace(report, problems=(*report.problems, *verdict.notes))
    outcome = CheckOutcome(
        verdict.state,
        redact(verdict.summary),
        target.head,
        record.as_json(report, verdict, draft.found, draft.patch),
        redact(record.as_html(report)),
        verdict.environments,
    )
    if not target.group:
        outside.pull()
        outside.comment(_comment(outside, target, draft, report))
    shown = _shown(outside, draft, report)
    outside.status(target.head, shown.state, outcome.summary, shown)
    return outcome


def _forge_state(verdict: Verdict) -> ForgeState:
    return ForgeState.PENDING if verdict.waiting else _STATES[verdict.state]


def _comment(outside: Outside, target: Target, draft: Draft, report: Report) -> str:
    around = outside.request.around
    text = comment.compose(
        draft.verdict.state,
        draft.verdict.summary,
        report,
        budget=around.forge.limits.comment_budget - cost(outside.marker) - 1,
        url=around.report_url,
        remarks=draft.remarks,
        commands=_commands(draft.verdict, target),
        patch=draft.patch,
    )
    return redact(text)


def _commands(verdict: Verdict, target: Target) -> list[str]:
    """What a writer may answer with, with the commit that it is for."""
    if verdict.waiting:
        return [f"/gen-env ok-to-test {target.head}"]
    return [f"/gen-env accept {rule} {target.head}" for rule in verdict.refused]


def _shown(outside: Outside, draft: Draft, report: Report) -> ForgeCheck:
    """The same for forges that have check runs, with remarks at lines."""
    text = markdown.render(report, budget=outside.request.around.forge.limits.check_text)
    summary = redact(draft.verdict.summary)
    return ForgeCheck(
        STATUS_CONTEXT,
        _forge_state(draft.verdict),
        summary,
        "\n".join((prose(summary), *(f"- {prose(remark)}" for remark in draft.remarks))),
        redact(text),
        outside.request.around.report_url,
        record.remarks(report),
    )
