"""The comment on a merged pull request: what became of it in each environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.redaction.text import redact_prose
from generator.report.budget import Page, cost
from generator.report.escape import clipped, code, prose
from service.follow_up.task import Done, Task, neutral, superseded
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
        return superseded()
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
    states = [word_of(run) for run in newest.values()]
    if any(word in ("failed", "timed-out") for word in states):
        title = "not healthy after the merge"
    elif all(word in ("verified", "superseded") for word in states):
        title = "verified" if "verified" in states else "superseded"
    else:
        title = "being verified" if "running" in states else "not verified"
    head = f"### gen-env: {title}\n\n{_HEAD}"
    tail = "".join(dict.fromkeys(map(_proposal, runs)))
    rows = [_row(name, newest[name]) for name in sorted(newest)]
    more: Callable[[int], str] = "| and {} more | | |\n".format
    page = Page(budget)
    page.add_rows(head, rows, more, noun="environments", reserve=cost(tail))
    page.add(tail)
    return page.text()


def word_of(run: Mapping[str, Any]) -> str:
    """The verdict of a run, `running` before there is one, `unknown` for one given up."""
    if run["state"] in UNFINISHED:
        return "running"
    return str(run["environments"].get(run["details"]["environment"]) or "unknown")


def _row(name: str, run: Mapping[str, Any]) -> str:
    word = word_of(run)
    said, shown = run["summary"].removeprefix(f"{word}: "), f"[{word}](<{run['url']}>)"
    if word == "running":
        said, shown = "verification is running", word
    sha = code(str(run["details"].get("sha", ""))[:12])
    verdict = f"{_SIGNS.get(word, '⏳')} {shown}: {prose(clipped(said, 500))}"
    return f"| {code(name, 120)} | {sha} | {verdict} |\n"


def _proposal(run: Mapping[str, Any]) -> str:
    told = run["state"] in (State.DONE.value, State.FAILURE.value) and run["summary"]
    fans_out = run["kind"] == Kind.PROMOTE.value and not run["details"].get("target")
    if run["kind"] not in _PROPOSALS or not told or fans_out:
        return ""
    return f"- {_PROPOSALS[run['kind']]}: {prose(clipped(run['summary'], 500))}\n"
