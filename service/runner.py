"""One run of a job: what it is about is read anew, the work is called, the outcome recorded."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from typing import Any, assert_never

import sqlalchemy as sa

from generator.errors import UserError
from generator.forge.credentials import Token
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import CheckState as ForgeState
from generator.forge.port import ForgePort, PullState
from generator.forge.redact import redact
from service import archive, grants, store
from service.check_port import STATUS_CONTEXT as CHECK_CONTEXT
from service.check_port import Check, CheckOutcome, CheckRequest, Reason, Surroundings
from service.forges import app_token
from service.job import Job, Kind, State, pull_key
from service.jobs import Jobs, job_of
from service.logs import place_of
from service.settings import Connection, Settings
from service.store import Outcome
from service.verify_port import NOT_CONFIGURED, Verify, VerifyRequest
from service.verify_port import STATUS_CONTEXT as VERIFY_CONTEXT
from service.webhook.command import Command, Verb

log = logging.getLogger("gen_env.worker")
Row = sa.Row[*tuple[Any, ...]]


class JobFailed(Exception):
    """A run that went wrong, in words without secrets; `transient` when trying again may help."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


@dataclasses.dataclass(frozen=True)
class Tools:
    """What a runner works with. `forge` gives the port to one repository of a connection."""

    settings: Settings
    jobs: Jobs
    forge: Callable[[Connection, str], ForgePort]
    check: Check
    verify: Verify | None = None
    clock: Callable[[], float] = time.time


class Runner:
    """Carries out runs; one per worker process, used by many threads."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def perform(self, identity: str) -> str:
        """Carry out the run; returns its state. A run that is over, or superseded, is left alone.

        Raises JobFailed, and nothing else.
        """
        tools = self._tools
        with tools.jobs.engine.begin() as connection:
            row = store.begin(connection, identity, tools.clock())
        if row is None:
            return State.SUPERSEDED.value
        log.info("run begins", extra=_labels(row))
        try:
            outcome = self._work(row)
        except Exception as error:
            failure = self._failure(error)
        else:
            self._finish(row, outcome)
            return outcome.state.value
        # Raised outside the handler: the cause may quote what must not be seen.
        raise failure

    def give_up(self, identity: str, message: str, *, transient: bool) -> None:
        """Move the run to the dead letters, and tell the forge where there is something to tell."""
        tools = self._tools
        outcome = Outcome(State.DEAD, message, transient=transient)
        with tools.jobs.engine.begin() as connection:
            row = store.read(connection, identity)
            buried = store.finish(connection, identity, outcome, tools.clock())
        if row is None or not buried:
            return
        log.error("run given up: %s", message, extra=_labels(row))
        if row.kind == Kind.CHECK.value:
            self._tell_failure(row, message)

    def _work(self, row: Row) -> Outcome:
        connection = self._tools.settings.connection(row.connection)
        if connection is None or connection.repository(row.repository) is None:
            raise UserError("this repository is not in the settings any more")
        job, forge = job_of(row), self._tools.forge(connection, row.repository)
        match job.kind:
            case Kind.CHECK:
                return self._check(row, job, connection, forge)
            case Kind.COMMAND:
                return self._command(job, forge)
            case Kind.PUSH:
                return self._push(job, forge)
            case Kind.RERUN:
                numbers = [found.number for found in forge.prs_of_commit(job.details["sha"])
                           if found.state is PullState.OPEN]  # fmt: skip
                return self._check_all(job, numbers, Reason.RERUN)
            case Kind.VERIFY:
                return self._verify(row, job, connection, forge)
            case _ as unreachable:
                assert_never(unreachable)

    def _check(self, row: Row, job: Job, connection: Connection, forge: ForgePort) -> Outcome:
        head, base = job.details.get("sha", ""), job.details.get("base", "")
        if job.number:
            # Events may come late or out of order: only the forge knows what the head is now.
            pull = forge.get_pr(job.number)
            if pull.state is not PullState.OPEN:
                return Outcome(State.NEUTRAL, f"the pull request is {pull.state}", pull.head_sha)
            head, base = pull.head_sha, pull.base_sha
        with self._tools.jobs.engine.connect() as transaction:
            key = pull_key(row.connection, row.repository, row.number)
            allowed = grants.read(transaction, key, head)
        request = CheckRequest(
            connection=row.connection,
            repository=row.repository,
            number=row.number,
            head_sha=head,
            base_sha=base,
            reason=Reason(row.reason),
            run_id=row.id,
            report_id=row.report,
            grants=allowed,
            around=self._around(row, connection, forge),
        )
        found = self._tools.check(request)
        self._keep(row, found)
        return Outcome(
            State(found.state.value), found.summary, found.head_sha or head, found.environments
        )

    def _keep(self, row: Row, found: CheckOutcome) -> None:
        if found.report_json or found.report_html:
            report = archive.Report(found.report_json, found.report_html)
            with self._tools.jobs.engine.begin() as transaction:
                archive.keep(transaction, row.report, report, self._tools.clock())

    def _command(self, job: Job, forge: ForgePort) -> Outcome:
        author = str(job.details["author"])
        if not forge.can_write(author):
            return Outcome(State.NEUTRAL, f"{author} may not write to the repository")
        pull = forge.get_pr(job.number)
        key = pull_key(job.connection, job.repository, job.number)
        told: list[str] = []
        for command in [_command_of(data) for data in job.details["commands"]]:
            # A commit must be named: between a reader's word and our reading, the head may move.
            if command.fault:
                told.append(command.fault)
            elif command.verb is not Verb.CHECK and not pull.head_sha.startswith(command.sha):
                told.append(f"{command.verb}: {command.sha} is not the head any more")
            else:
                told.append(f"{command.verb} by {author}")
                with self._tools.jobs.engine.begin() as transaction:
                    grants.record(transaction, key, pull.head_sha, command, author,
                                  self._tools.clock())  # fmt: skip
        self._check_all(job, [job.number], Reason.COMMAND)
        return Outcome(State.DONE, "; ".join(told), pull.head_sha)

    def _push(self, job: Job, forge: ForgePort) -> Outcome:
        branch, sha = job.details["branch"], job.details["sha"]
        merged = [found.number for found in forge.prs_of_commit(sha)
                  if found.state is PullState.MERGED]  # fmt: skip
        number = merged[0] if merged else 0
        details = {"sha": sha, "number": number}
        self._tools.jobs.submit(
            Job(Kind.VERIFY, job.connection, job.repository, number, "push", details)
        )
        waiting = [found.number for found in forge.list_open_prs() if found.base_ref == branch]
        return self._check_all(job, waiting, Reason.BASE_MOVED)

    def _check_all(self, job: Job, numbers: list[int], reason: Reason) -> Outcome:
        for number in numbers:
            self._tools.jobs.submit(
                Job(Kind.CHECK, job.connection, job.repository, number, reason.value)
            )
        return Outcome(State.DONE, f"queued {len(numbers)} checks")

    def _verify(self, row: Row, job: Job, connection: Connection, forge: ForgePort) -> Outcome:
        sha = job.details.get("sha") or forge.get_pr(job.number).merge_sha
        if not sha:
            return Outcome(State.NEUTRAL, "the forge does not say which commit merged it")
        if self._tools.verify is None:
            # Not success: a gate may take that for proof. Not failure either: nothing failed.
            forge.set_status(sha, VERIFY_CONTEXT, ForgeState.PENDING, NOT_CONFIGURED)
            return Outcome(State.NEUTRAL, NOT_CONFIGURED, sha)
        around = self._around(row, connection, forge)
        request = VerifyRequest(row.connection, row.repository, sha, row.number, row.id, around)
        found = self._tools.verify(request)
        forge.set_status(sha, VERIFY_CONTEXT, found.state, found.summary)
        fine = found.state is ForgeState.SUCCESS
        state = State.SUCCESS if fine else State.FAILURE
        return Outcome(state, found.summary, sha, found.environments)

    def _around(self, row: Row, connection: Connection, forge: ForgePort) -> Surroundings:
        tools = self._tools

        def is_current() -> bool:
            with tools.jobs.engine.connect() as transaction:
                return store.is_running(transaction, row.id)

        return Surroundings(
            forge=forge,
            git_url=f"{connection.web_url}/{row.repository}.git",
            git_username=connection.username,
            git_token=lambda: git_token(connection, row.repository),
            data_dir=tools.settings.data_dir,
            report_url=tools.settings.report_url(row.report),
            is_current=is_current,
            push_back=connection.push_back,
            allow_http=connection.allow_http,
        )

    def _finish(self, row: Row, outcome: Outcome) -> None:
        with self._tools.jobs.engine.begin() as connection:
            store.finish(connection, row.id, outcome, self._tools.clock())
        log.info("run ends: %s", outcome.state.value, extra=_labels(row))

    def _failure(self, error: Exception) -> JobFailed:
        transient = isinstance(error, Unavailable | RateLimited) or not isinstance(error, UserError)
        # Of what we did not foresee only the kind is told: its text may quote anything.
        known = error.message if isinstance(error, UserError) else _bug(error)
        return JobFailed(redact(known, self._tools.settings.secrets), transient=transient)

    def _tell_failure(self, row: Row, message: str) -> None:
        connection = self._tools.settings.connection(row.connection)
        if connection is None:
            return
        try:
            forge = self._tools.forge(connection, row.repository)
            sha = forge.get_pr(row.number).head_sha if row.number else row.details.get("sha", "")
            if sha:
                forge.set_status(sha, CHECK_CONTEXT, ForgeState.ERROR, f"not checked: {message}")
        except Exception as error:  # the forge may be the very reason
            log.warning("cannot tell the forge: %s", type(error).__name__, extra=_labels(row))


def _command_of(data: dict[str, Any]) -> Command:
    return Command(**{**data, "verb": Verb(data["verb"])})


def git_token(connection: Connection, repository: str) -> str:
    """What git's transport logs in with; empty where the connection has no credentials."""
    match connection.credentials:
        case None:
            return ""
        case Token(value):
            return value.text()
        case app:
            return app_token(connection, app, repository)


def _bug(error: Exception) -> str:
    return f"{type(error).__name__} at {place_of(error)}"


def _labels(row: Row) -> dict[str, Any]:
    return {"connection": row.connection, "repository": row.repository, "run": row.id,
            "number": row.number, "kind": row.kind}  # fmt: skip
