"""The text of a pull request of ours: what changes, what it will do, on which grounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from generator.core.basis import Basis
from generator.core.counted import counted
from generator.pipeline import rehearsals
from generator.promotion.evidence import Evidence, Standing
from generator.promotion.fields import Choice, Difference
from generator.promotion.gates import Gate, State, lasting, shown_time
from generator.promotion.history import Commit
from generator.report import markdown
from generator.report.budget import SMALLEST
from generator.report.escape import clipped, code, prose
from generator.report.model import Report

_COMMITS = 20
_DIFFERENCES = 60
_SIGNS = {State.PASSED: "✅", State.WAITING: "⏳", State.BLOCKED: "⛔"}


def with_report(head: str, report: Report | None, budget: int, tail: str = "") -> str:
    """The text, the rendered diff in what room is left, and the tail; within the budget.

    The head and the tail are cut only when they alone are too long.
    """
    foot = f"\n{tail}" if tail else ""
    room = budget - _bytes(head) - _bytes(foot) - 2
    if report is not None and room >= SMALLEST:
        return f"{head}\n{markdown.render(report, budget=room)}{foot}"
    whole = f"{head}{foot}"
    if _bytes(whole) <= budget:
        return whole
    return whole.encode()[: max(0, budget - 40)].decode("utf-8", "ignore") + "\n\nCut for length.\n"


def _bytes(text: str) -> int:
    return len(text.encode())


def moves(choice: Choice) -> str:
    """The table of what moves, and what to mind about it."""
    rows = [
        f"| {code(move.field)} | {code(move.old_text)} | {code(move.new_text)} |"
        for move in choice.moves
    ]
    table = "\n".join(["| What moves | From | To |", "| --- | --- | --- |", *rows])
    return table + "\n" + listed(choice.remarks)


def listed(lines: Iterable[str]) -> str:
    """Sentences as a list, with a blank line before it; nothing for none."""
    rows = [f"- {prose(line)}" for line in lines]
    return "\n" + "\n".join(rows) + "\n" if rows else ""


def judged_by(basis: Basis) -> str:
    """By which versions the proposal was judged, and what was not read for it."""
    return f"\nJudged by {prose(basis.line)}\n" + listed(
        f"not read: {item}" for item in basis.not_read
    )


def commits(source: str, found: Sequence[Commit], links: dict[str, str]) -> str:
    """The commits behind it; `links` are their pages by id, where a forge has them."""
    if not found:
        return ""
    rows = [_commit(item, links.get(item.sha, "")) for item in found[:_COMMITS]]
    if len(found) > _COMMITS:
        rows.append(f"- and {len(found) - _COMMITS} more")
    return f"\n**Commits behind it**, of {code(source)}\n\n" + "\n".join(rows) + "\n"


def _commit(item: Commit, link: str) -> str:
    short = code(item.sha[:12])
    shown = f"[{short}]({link})" if link else short
    return f"- {shown} {prose(clipped(item.subject, 120))} ({prose(clipped(item.author, 60))})"


def proof(source: str, evidence: Evidence, now: datetime) -> str:
    """How the source is known to be good."""
    revision = code(evidence.revision[:12])
    lead = f"\n**Evidence**: {code(source)} at {revision} "
    if evidence.standing is Standing.VERIFIED and evidence.since is not None:
        by = f" by {prose(evidence.by)}" if evidence.by else ""
        said = (
            f"was verified on {shown_time(evidence.since)}{by}"
            f" and has been healthy for {lasting(now - evidence.since)}"
        )
    else:
        said = f"is not verified: {evidence.standing.value}"
    reason = f" ({prose(clipped(evidence.reason, 300))})" if evidence.reason else ""
    return f"{lead}{said}{reason}.\n"


def rehearsal(item: rehearsals.Standing | None) -> str:
    """What the migration did on a copy of the database; nothing where the schema stays."""
    if item is None:
        return ""
    return f"\n**Migration**: {prose(item.fault or item.line)}.\n"


def gates(found: Sequence[Gate], force: str | None) -> str:
    """The table of gates, and the reason for which they were passed by."""
    rows = [
        f"| {prose(gate.name)} | {_SIGNS[gate.state]} {gate.state.value} | {prose(_why(gate))} |"
        for gate in found
    ]
    table = "\n".join(["| Gate | State | Why |", "| --- | --- | --- |", *rows])
    reason = forced(force) if force is not None else ""
    return f"\n{table}\n{reason}\nThe gates are evaluated again before the merge.\n"


def forced(reason: str) -> str:
    """The reason for which something was passed by, for the record."""
    return f"\n> **Forced**: {prose(clipped(reason, 500))}\n"


def sentence(words: str) -> str:
    """One sentence, made harmless."""
    return prose(words)


def _why(gate: Gate) -> str:
    until = f"; until {shown_time(gate.until)}" if gate.until else ""
    return f"{gate.reason}{until}"


def left(stays: Sequence[str], differences: Sequence[Difference], source: str, target: str) -> str:
    """What was not promoted on purpose, by name alone."""
    text = ""
    if stays:
        text += f"\n**Promoted fields that did not move**\n{listed(stays)}"
    if not differences:
        return text + f"\nNothing else differs between {code(source)} and {code(target)}.\n"
    rows = [f"| {code(item.field, 120)} | {prose(item.where)} |" for item in differences]
    shown = rows[:_DIFFERENCES]
    if len(rows) > _DIFFERENCES:
        shown.append(f"| and {len(rows) - _DIFFERENCES} more | |")
    count = counted(len(rows), "field")
    return (
        f"{text}\n<details><summary>Not promoted: {count} that differ between the two definitions"
        "</summary>\n\n| Field | |\n| --- | --- |\n" + "\n".join(shown) + "\n\n</details>\n"
    )
