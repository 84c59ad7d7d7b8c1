"""The comment on a merged pull request: what became of it in each environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generator.redaction.text import redact_prose
from generator.report.escape import clipped, code, prose
from service.follow_up.task import Done, Task, neutral
from service.model.job import UNFINISHED, Kind, State
from service.store.runs import Outcome

_SIGNS = {
    "verified": "✅",
    "failed": "❌",
    "timed-out": "❌",
    "superseded": "⏭️",
    "unknown": "❔",
    "not-synced": "⏸️",
    "prune-confirmation": "⏸️",
}
_HEAD = "| Environment | Commit | Verdict |\n| --- | --- | --- |\n"
_PROPOSALS = {Kind.PROMOTE.value: "Promotion", Kind.ROLLBACK.value: "Rollback"}


def upsert(task: Task) -> Done:
    """Write or edit the one comment; what it says is what is on record now."""
    runs = task.history.of_number(task.job.number)
    if not any(run["kind"] == Kind.VERIFY.value and run["details"].get("cluster") for run in runs):
        return neutral("nothing was verified")
    if not task.context.is_current():
        return Done(Outcome(State.SUPERSEDED, "superseded by a newer event"))
    body = redact_prose(compose(runs, task.context.forge.limits.comment_budget))
    task.context.forge.upsert_comment(task.job.number, task.marker, body)
    return Done(Outcome(State.DONE, "told"))


def compose(runs: Sequence[Mapping[str, Any]], budget: int) -> str:
    """The comment in at most `budget` code points and bytes; the newest run of each environment
    counts. Each run has `url`, the page of its report.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        # As they were queued before, those of a merge as a whole have no environment.
        if run["kind"] == Kind.VERIFY.value and run["details"].get("environment"):
            newest[run["details"]["environment"]] = run
    head = f"### gen-env: {_title(newest)}\n\n{_HEAD}"
    lines = [_proposal(run) for run in runs if run["kind"] in _PROPOSALS]
    tail = "".join(dict.fromkeys(lines))
    tail = f"\n{tail}" if tail else ""
    rows = [_row(name, newest[name]) for name in sorted(newest)]
    room = budget - len((head + tail).encode()) - 100
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode())
        if room < 0:
            kept.append(f"| and {len(rows) - len(kept)} more | | |\n")
            break
        kept.append(row)
    return f"{head}{''.join(kept)}{tail}"


def _title(newest: Mapping[str, Mapping[str, Any]]) -> str:
    words = [word_of(run) for run in newest.values()]
    if any(word in ("failed", "timed-out") for word in words):
        return "not healthy after the merge"
    if all(word in ("verified", "superseded") for word in words):
        return "verified" if "verified" in words else "superseded"
    return "being verified" if "running" in words else "not verified"


def word_of(run: Mapping[str, Any]) -> str:
    """The verdict of a run, `running` before there is one, `unknown` for one given up."""
    if run["state"] in UNFINISHED:
        return "running"
    return str(run["environments"].get(run["details"]["environment"]) or "unknown")


def _row(name: str, run: Mapping[str, Any]) -> str:
    word = word_of(run)
    said = (
        run["summary"].removeprefix(f"{word}: ") if word != "running" else "verification is running"
    )
    shown = f"[{word}](<{run['url']}>)" if word != "running" and run["url"] else word
    cells = (
        code(name, 120),
        code(str(run["details"].get("sha", ""))[:12]),
        f"{_SIGNS.get(word, '⏳')} {shown}: {prose(clipped(said, 500))}",
    )
    return f"| {' | '.join(cells)} |\n"


def _proposal(run: Mapping[str, Any]) -> str:
    if run["state"] not in (State.DONE.value, State.FAILURE.value) or not run["summary"]:
        return ""
    if run["kind"] == Kind.PROMOTE.value and not run["details"].get("target"):
        return ""
    return f"- {_PROPOSALS[run['kind']]}: {prose(clipped(run['summary'], 500))}\n"
