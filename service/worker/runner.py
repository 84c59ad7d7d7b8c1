"""One run of a job: what it is about is read anew, the work is called, the outcome recorded."""

from __future__ import annotations

import dataclasses
import errno
import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from generator.core.errors import UserError
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState as ForgeState
from generator.forge.port import ForgePort, PullRequest, PullState
from generator.promotion import evidence
from generator.redaction.text import redact_prose
from service.check.mirror import place
from service.check.reporter import Check, CheckRequest, Context, marker_of
from service.follow_up import comment, drift, gates, merged, proposal, verify
from service.follow_up.task import After, Done, Task
from service.model.job import STATUS_CONTEXT as CHECK_CONTEXT
from service.model.job import Grants, Job, Kind, Reason, State, pull_key
from service.queue.jobs import Jobs
from service.settings.schema import Connection, Settings
from service.store import folder_locks, grants, reminders, reports, runs, tables
from service.store.overview import Runs
from service.store.runs import Outcome
from service.store.tables import Row
from service.telemetry import instrument
from service.telemetry.logs import kind_and_place
from service.webhook.command import Command
from service.worker import commands, notify

log = logging.getLogger("gen_env.worker")
_INTERVAL = 600.0
# What is said of a run that was given up, and under which name.
_TOLD = {
    Kind.CHECK.value: (CHECK_CONTEXT, "not checked"),
    Kind.GATES.value: (gates.CONTEXT, "not judged"),
    Kind.MERGE.value: (evidence.CONTEXT, "not verified"),
    Kind.VERIFY.value: (evidence.CONTEXT, "not verified"),
    Kind.DRIFT.value: (drift.CONTEXT, "not compared"),
}
_OF_HEADS = (Kind.CHECK.value, Kind.GATES.value)
_COMES_AGAIN = (Kind.GATES.value, Kind.PUSH.value)
_AFTER: Mapping[Kind, After] = {
    Kind.GATES: gates.decide,
    Kind.MERGE: merged.merge,
    Kind.VERIFY: verify.verify,
    Kind.VERDICTS: comment.upsert,
    Kind.PROMOTE: proposal.promote,
    Kind.ROLLBACK: proposal.roll_back,
    Kind.DRIFT: drift.compare,
}


def work(task: Task) -> Done:
    """Carry out what comes after a check, as `After` says."""
    if task.job.kind is Kind.VERIFY and not task.job.environment:
        # As it was queued before verifications had an environment each.
        return merged.merge(task)
    return _AFTER[task.job.kind](task)


class JobFailed(Exception):
    """A run that went wrong, in words without secrets; `transient` when trying again may help.

    `after` is how many seconds a forge asks to be left alone.
    """

    def __init__(self, message: str, *, transient: bool, after: float = 0.0) -> None:
        super().__init__(message)
        self.transient = transient
        self.after = after


@dataclasses.dataclass(frozen=True)
class Runner:
    """Carries out runs; one per worker process, used by many threads.

    `forge` gives the port to one repository of a connection.
    """

    settings: Settings
    jobs: Jobs
    forge: Callable[[Connection, str], ForgePort]
    check: Check
    after: After = work
    clock: Callable[[], float] = time.time

    @functools.cached_property
    def _marker_key(self) -> bytes:
        return tables.shared_key(self.jobs.engine, "marker")

    def perform(self, identity: str, owner: str = "") -> str:
        """Carry out the run under the claim `owner`; returns its state. A run that is over,
        superseded or another claim's is left alone.

        Raises JobFailed, and what the database raises.
        """
        with self.jobs.engine.begin() as connection:
            row = runs.begin(connection, identity, self.clock(), owner)
        if row is None:
            return State.SUPERSEDED.value
        log.info("run begins", extra=_labels(row))
        try:
            mirror = place(self.settings.data_dir, row.connection, row.repository)
            with folder_locks.in_use(mirror):
                done = instrument.of_run(row, self._work)
        except Exception as error:
            failure = self._failure(error)
            log.warning("run fails: %s", failure, extra=_labels(row))
        else:
            self._finish(row, done)
            return done.outcome.state.value
        # Raised outside the handler: the cause may quote what must not be seen.
        raise failure

    def give_up(self, identity: str, message: str, *, transient: bool, owner: str = "") -> None:
        """Move the run to the dead letters, and tell the forge where there is something to tell."""
        outcome = Outcome(State.DEAD, message, transient=transient)
        with self.jobs.engine.begin() as connection:
            row = runs.read(connection, identity)
            buried = runs.finish(connection, identity, outcome, self.clock(), owner)
            if row is None or not buried:
                return
            self._notify(connection, row, outcome)
            if transient and row.kind in _COMES_AGAIN:
                # That the forge was away must not end it: a gate opens and closes with time, and
                # what a merge made false stays green until its push is looked at.
                later = reminders.Reminder(Job.of(row), self.clock() + self._interval)
                reminders.put(connection, later)
        log.error("run given up: %s", message, extra=_labels(row))
        self._tell_failure(row, message)

    def _work(self, row: Row) -> Done:
        connection = self.settings.connection(row.connection)
        if connection is None or connection.repository(row.repository) is None:
            raise UserError("this repository is no longer in the settings")
        job, forge = Job.of(row), self.forge(connection, row.repository)
        match job.kind:
            case Kind.CHECK:
                return self._check(row, job, connection, forge)
            case Kind.COMMAND:
                return self._command(row, job, forge)
            case Kind.PUSH:
                return self._push(job, forge)
            case Kind.RERUN:
                numbers = [found.number for found in forge.prs_of_commit(job.details["sha"])
                           if found.state is PullState.OPEN]  # fmt: skip
                return _check_all(job, numbers, Reason.RERUN)
            case _:
                return self.after(self._task(row, job, connection, forge))

    def _check(self, row: Row, job: Job, connection: Connection, forge: ForgePort) -> Done:
        head, base = job.details.get("sha", ""), job.details.get("base", "")
        if job.number:
            # Events may come late or out of order: only the forge knows what the head is now.
            pull = forge.get_pr(job.number)
            if pull.state is not PullState.OPEN:
                said = f"the pull request is {pull.state}"
                return Done(Outcome(State.NEUTRAL, said, pull.head_sha))
            head, base = pull.head_sha, pull.base_sha
        context, granted = self._context(row, connection, forge), self._granted(row, head)
        found = self.check(CheckRequest(context, row.number, head, base, granted))
        outcome = Outcome(found.state, found.summary, found.head_sha or head, found.environments)
        kept = found.json_report or found.report_html
        report = reports.Report(found.json_report, found.report_html) if kept else None
        return Done(outcome, (dataclasses.replace(job, kind=Kind.GATES),), report=report)

    def _granted(self, row: Row, sha: str) -> Grants:
        key = pull_key(row.connection, row.repository, row.number)
        with self.jobs.engine.connect() as transaction:
            return grants.read(transaction, key, sha)

    def _task(self, row: Row, job: Job, connection: Connection, forge: ForgePort) -> Task:
        about = ("drift", job.environment) if job.kind is Kind.DRIFT else ("after the merge",)
        return Task(
            job=job,
            context=self._context(row, connection, forge),
            started=row.started,
            clock=self.clock,
            history=Runs(
                self.jobs.engine, row.connection, row.repository, self.settings.report_url
            ),
            grants=functools.partial(self._granted, row),
            marker=marker_of(self._marker_key, row.repository, row.number, *about),
            interval=self._interval,
        )

    @property
    def _interval(self) -> float:
        """How often what depends on time is looked at, in seconds."""
        return self.settings.poll_seconds or _INTERVAL

    def _command(self, row: Row, job: Job, forge: ForgePort) -> Done:
        key = pull_key(job.connection, job.repository, job.number)
        author = str(job.details["author"])

        def record(pull: PullRequest, command: Command) -> None:
            with self.jobs.engine.begin() as transaction:
                if not runs.hold(transaction, row.id, row.owner):
                    raise UserError("another run has taken this one's place")
                grants.record(transaction, key, pull.head_sha, command, author,
                              self.clock(), pull.author)  # fmt: skip

        outcome, lines, again = commands.carry_out(job, forge, record)
        if self._is_current(row):
            self._answer(job, forge, lines)
        checks = _check_all(job, [job.number] if again else [], Reason.COMMAND)
        return dataclasses.replace(checks, outcome=outcome)

    def _push(self, job: Job, forge: ForgePort) -> Done:
        settle = self.settings.limits.settle_seconds
        if settle and job.reason != reminders.REASON:
            # Several merges cost one check of each open pull request.
            later = reminders.Reminder(job, self.clock() + settle, gathers=True)
            waits = Outcome(State.DONE, "waits for further pushes")
            return Done(waits, reminders=(later,))
        branch = job.details["branch"]
        waiting = [found.number for found in forge.list_open_prs() if found.base_ref == branch]
        return _check_all(job, waiting, Reason.BASE_MOVED)

    def _is_current(self, row: Row) -> bool:
        with self.jobs.engine.connect() as transaction:
            return runs.is_running(transaction, row.id, row.owner)

    def _context(self, row: Row, connection: Connection, forge: ForgePort) -> Context:
        settings, place = self.settings, (connection, row.repository, row.id)
        report_url, current = settings.report_url(row.report), lambda: self._is_current(row)
        return Context(*place, forge, settings.data_dir, report_url, current)

    def _finish(self, row: Row, done: Done) -> None:
        """Record the outcome, and with it all that follows: the one is not without the other."""
        jobs, now = self.jobs, self.clock()
        with jobs.engine.begin() as connection:
            # A superseded run's report stays what its status leads to.
            ours = runs.hold(connection, row.id, row.owner)
            if ours and done.report is not None:
                reports.keep(connection, row.report, done.report, now)
            if runs.finish(connection, row.id, done.outcome, now, row.owner):
                self._notify(connection, row, done.outcome)
                for job in done.follow:
                    jobs.accept(connection, job)
                for reminder in done.reminders:
                    reminders.put(connection, reminder)
                if done.run_now:
                    reminders.run_now(connection, row.connection, row.repository, Kind.GATES, now)
        log.info("run ends: %s", done.outcome.state.value, extra=_labels(row))

    def _notify(self, connection: sa.Connection, row: Row, outcome: Outcome) -> None:
        settings = self.settings
        link = f"{settings.address}/runs?repository={row.repository}&kind={row.kind}"
        if row.kind == Kind.VERIFY.value:
            link = settings.report_url(row.report)
        notify.keep(connection, settings, Job.of(row), outcome, link, self.clock())

    def _failure(self, error: Exception) -> JobFailed:
        transient = isinstance(error, Unavailable | RateLimited) or not isinstance(error, UserError)
        if isinstance(error, UserError):
            known = error.message
        elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
            known = "the disk is full"
        else:  # of what we did not foresee only the kind is told: its text may quote anything
            known = kind_and_place(error)
        after = error.retry_after if isinstance(error, RateLimited) else 0.0
        said = redact_prose(known, self.settings.secrets)
        return JobFailed(said, transient=transient, after=after)

    def _tell_failure(self, row: Row, message: str) -> None:
        connection = self.settings.connection(row.connection)
        if connection is None or not (row.kind in _TOLD or row.kind == Kind.COMMAND.value):
            return
        try:
            forge = self.forge(connection, row.repository)
            if row.kind == Kind.COMMAND.value:
                # Not "nothing is recorded": the answer itself may be what failed.
                self._answer(Job.of(row), forge, (f"failed: {message}",))
            else:
                self._set_failure(row, forge, message)
        except Exception as error:  # the forge may be the very reason
            log.warning("cannot report to the forge: %s", type(error).__name__, extra=_labels(row))

    def _set_failure(self, row: Row, forge: ForgePort, message: str) -> None:
        sha = row.details.get("sha", "")
        if row.number and (row.kind in _OF_HEADS or not sha):
            pull = forge.get_pr(row.number)
            sha = pull.head_sha if row.kind in _OF_HEADS else pull.merge_sha
        context, said = _TOLD[row.kind]
        if environment := Job.of(row).environment:
            context = f"{context}/{environment}"
        if sha and row.kind == Kind.CHECK.value:
            # As the check itself reports: an App's check run would stay "in progress" for ever.
            title = f"{said}: {message}"
            forge.report_check(sha, ForgeCheck(context, ForgeState.ERROR, title))
        elif sha:
            forge.set_status(sha, context, ForgeState.ERROR, f"{said}: {message}")

    def _answer(self, job: Job, forge: ForgePort, lines: Iterable[str]) -> None:
        marker = marker_of(self._marker_key, job.repository, job.number, "commands")
        commands.tell(forge, job.number, marker, lines)


def _check_all(job: Job, numbers: list[int], reason: Reason) -> Done:
    checks = tuple(
        Job(Kind.CHECK, job.connection, job.repository, number, reason.value) for number in numbers
    )
    return Done(Outcome(State.DONE, f"queued {len(checks)} checks"), checks)


def _labels(row: Row) -> dict[str, Any]:
    return {"connection": row.connection, "repository": row.repository, "run": row.id,
            "number": row.number, "kind": row.kind,
            "delivery": row.origin.get("delivery")}  # fmt: skip
