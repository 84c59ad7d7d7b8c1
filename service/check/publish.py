"""How a check is told: one status, one comment, one report to keep."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence

from generator.core.errors import UserError
from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState as ForgeState
from generator.redaction.text import redact_prose
from generator.report import markdown
from generator.report.budget import SMALLEST, cost
from generator.report.escape import clipped, code, fence, prose
from generator.report.model import Report
from service.check import stored_report
from service.check.assess import Findings
from service.check.reporter import Reporter, Superseded, Target
from service.check.verdict import Verdict
from service.model.check import STATUS_CONTEXT, CheckOutcome
from service.model.job import State

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


def publish(reporter: Reporter, target: Target, draft: Draft) -> CheckOutcome:
    """Comment and status, comment first: who sees the status finds the comment there.

    Before that the pull request is read again: one that was closed or has moved on is left alone.
    """
    verdict = draft.verdict
    report = draft.found.report
    headline = f"{_WORDS[verdict.state]}: {verdict.summary}"
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


def _comment(reporter: Reporter, target: Target, draft: Draft, report: Report) -> str:
    verdict, context = draft.verdict, reporter.request.context
    # What a writer may answer with, with the commit that it is for.
    commands = [f"/gen-env accept {rule} {target.head}" for rule in verdict.refused]
    if verdict.waiting:
        commands = [f"/gen-env ok-to-test {target.head}"]
    text = compose(
        verdict.state,
        verdict.summary,
        report,
        budget=context.forge.limits.comment_budget - cost(reporter.marker) - 1,
        url=context.report_url,
        remarks=draft.remarks,
        commands=commands,
        patch=draft.patch,
    )
    return redact_prose(text)


def _shown(reporter: Reporter, draft: Draft, report: Report) -> ForgeCheck:
    """The same for forges that have check runs, with remarks at lines."""
    text = markdown.render(report, budget=reporter.request.context.forge.limits.check_text)
    summary = redact_prose(draft.verdict.summary)
    return ForgeCheck(
        STATUS_CONTEXT,
        ForgeState.PENDING if draft.verdict.waiting else _STATES[draft.verdict.state],
        summary,
        "\n".join((prose(summary), *(f"- {prose(remark)}" for remark in draft.remarks))),
        redact_prose(text),
        reporter.request.context.report_url,
        stored_report.remarks(report),
    )


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
