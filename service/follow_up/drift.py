"""What a cluster differs in from the default branch: a status, a number and one issue."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence

from generator.core.basis import NOTHING, NotRead
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import CheckState
from generator.pipeline import drift, repository, review, toolchain
from generator.redaction.text import redact_prose
from generator.report import html, json_report
from generator.report.escape import code
from generator.report.model import EnvironmentDiff, Report
from service.follow_up.branch import branch
from service.follow_up.merged import clusters_of
from service.follow_up.task import Done, Task, neutral, superseded
from service.model.job import Kind, State
from service.settings.schema import Access
from service.store import reports
from service.store.runs import Outcome
from service.telemetry.meter import METER

log = logging.getLogger("gen_env.drift")
CONTEXT = "gen-env/drift"
"""How the names of our statuses begin; an environment's follows."""

_STATES = {
    State.SUCCESS: CheckState.SUCCESS,
    State.FAILURE: CheckState.FAILURE,
    State.ERROR: CheckState.ERROR,
}
_LISTED = 50


def compare(task: Task) -> Done:
    """Compare one environment with its cluster; a job about none queues one for each.

    Raises Unavailable and RateLimited where the forge must be asked again.
    """
    known, name = task.connection.verification, task.job.environment
    if known is None or known.drift_hour is None:
        return neutral("driftHour is not set")
    with branch(task) as here:
        sha = here.head
        files = here.files(sha)
        found = repository.load(files)
        if found.settings is None:
            raise UserError(f"not compared: {found.problems[0].message}")
        clusters = clusters_of(files, found, [name] if name else sorted(found.definitions))
        chosen = {it: cluster for it, cluster in clusters.items() if cluster in known.clusters}
        if not name:
            return _queued(task, sha, list(chosen), sorted(found.names - chosen.keys()))
        if name not in chosen:
            return neutral(f"{name} is in no cluster that verification.clusters names", sha)
        return _told(task, sha, *_compared(files, sha, name, known.clusters[chosen[name]]))


def _queued(task: Task, sha: str, names: Sequence[str], left: Sequence[str]) -> Done:
    jobs = tuple(task.then(Kind.DRIFT, environment=name, sha=sha) for name in names)
    words = f"compares {', '.join(names) or 'none'}"
    if left:  # not defined, or where nobody looks: neither is as git says
        words += f"; not compared: {', '.join(left)}"
    return Done(Outcome(State.DONE, words, sha), jobs)


def _compared(
    files: Snapshot, sha: str, name: str, access: Access
) -> tuple[Report, EnvironmentDiff]:
    side, empty = sha[:12], EnvironmentDiff(name, rendered=False)
    tools = review.Toolchain(toolchain.charts(files), toolchain.lazy(files), 1)
    report = Report(side, side, ())
    try:
        report = drift.with_drift(report, files, side, tools, [name], lambda _: access.open())
    except UserError as error:
        basis = NOTHING.without([NotRead("cluster", name, error.sentence)])
        return report, dataclasses.replace(empty, basis=basis)
    return report, next(iter(report.environments), empty)


def _told(task: Task, sha: str, report: Report, item: EnvironmentDiff) -> Done:
    """The word on it: status, numbers, issue; of what was not read nothing is said to be fine."""
    unread = {left.what: str(left) for left in item.basis.not_read}
    objects = [str(change.key) for change in item.drift if str(change.key) not in unread]
    state, summary = _verdict(objects, list(unread.values()), rendered=item.rendered)
    if not task.context.is_current():
        return superseded(sha, "another run")
    forge, environment, url = task.context.forge, task.job.environment, task.context.report_url
    try:
        if state is State.FAILURE:
            text = _issue(objects, [*unread.values()], url)
            forge.keep_issue(task.marker, f"{environment} differs from git", text)
        if state is State.SUCCESS:
            forge.close_issue(task.marker)
    except (Unavailable, RateLimited):
        raise
    except UserError as error:  # issues are switched off, say: the report must not go with them
        log.warning("no issue on drift of %s: %s", environment, error.message)
        summary = f"{summary}; no issue is kept: {error.message}"
    summary = redact_prose(summary)
    forge.set_status(sha, f"{CONTEXT}/{environment}", _STATES[state], summary, url)
    labels = {"connection": task.job.connection, "repository": task.job.repository,
              "environment": environment}  # fmt: skip
    if state is not State.ERROR:
        METER.gauge("drift_objects", len(objects), **labels)
    if not unread:
        METER.gauge("drift_compared_timestamp_seconds", task.clock(), **labels)
    text = json.dumps(json_report.as_json(report), indent=2)
    kept = reports.Report(redact_prose(text) + "\n", redact_prose(html.render(report)))
    # By their names: as long as these differ, people were told.
    held = {environment: ", ".join(objects)} if objects else {environment: state.value}
    return Done(Outcome(state, summary, sha, held), report=kept)


def _verdict(objects: Sequence[str], unread: Sequence[str], *, rendered: bool) -> tuple[State, str]:
    left = f"not read: {_first(unread, '; ')}"
    if objects:
        words = f"{counted(len(objects), 'object')} not as in git: {_first(objects, ', ')}"
        return State.FAILURE, f"{words}; {left}" if unread else words
    if unread or not rendered:
        return State.ERROR, f"not compared: {left}"
    return State.SUCCESS, "the cluster is as git says"


def _first(texts: Sequence[str], between: str) -> str:
    return between.join(texts[:3]) + (f" and {len(texts) - 3} more" if texts[3:] else "")


def _issue(objects: Sequence[str], unread: Sequence[str], url: str) -> str:
    left = f"Not read, and so not known:\n\n{_list(unread)}\n" if unread else ""
    return (
        f"These objects are not as the default branch says:\n\n{_list(objects)}\n{left}"
        f"[The differences](<{url}>). The next comparison that finds none closes this issue.\n"
    )


def _list(texts: Sequence[str]) -> str:
    listed = "".join(f"- {code(redact_prose(text))}\n" for text in texts[:_LISTED])
    return listed + (f"- and {len(texts) - _LISTED} more\n" if texts[_LISTED:] else "")
