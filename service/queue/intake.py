"""A verified delivery becomes a stored row and the jobs that follow from it, in one transaction."""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Callable, Mapping
from typing import Any, assert_never

import sqlalchemy as sa

from service.model.job import Job, Kind, Reason, State
from service.queue.jobs import Jobs
from service.settings.schema import Connection
from service.store import runs
from service.store.batch import Batches
from service.store.runs import Delivery
from service.telemetry.meter import METER
from service.webhook import event as events
from service.webhook.event import Event, PullAction


class Taken(enum.StrEnum):
    """What became of a delivery."""

    QUEUED = "queued"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    FULL = "full"


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a delivery: the run that it led to, or an earlier one it is attached to."""

    taken: Taken
    run: str = ""


class Intake:
    """Takes deliveries in; one per web process."""

    def __init__(
        self, jobs: Jobs, queue_depth: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._jobs = jobs
        self._most = queue_depth
        self._clock = clock
        self._counted = (0.0, 0)
        self._batches = Batches(jobs.engine)

    def receive(self, connection: Connection, found: Delivery, event: Event) -> Receipt:
        """Keep the delivery and queue its work; a redelivery is attached to the work it led to.

        A redelivery queues the work again only where that was given up. FULL keeps nothing.
        """
        jobs, repeatable = jobs_of(connection, event), isinstance(event, events.RerunEvent)
        if jobs and self._is_full():
            return Receipt(Taken.FULL)
        receipt = self._batches.run(
            lambda transaction: self._kept(transaction, found, jobs, repeatable=repeatable)
        )
        METER.add("deliveries", connection=found.connection, outcome=receipt.taken.value)
        return receipt

    def _kept(
        self, transaction: sa.Connection, found: Delivery, jobs: list[Job], *, repeatable: bool
    ) -> Receipt:
        new = runs.add_delivery(transaction, found, self._clock())
        before = runs.earlier(transaction, found) if jobs else None
        # The ids are not signed: the same bytes under a new id are a replay, unless they ask
        # for something that may well be asked for twice.
        if before and before.state != State.DEAD.value and not (new and repeatable):
            receipt = Receipt(Taken.DUPLICATE, before.id)
        elif not jobs:
            receipt = Receipt(Taken.IGNORED)
        else:
            accepted = [self._jobs.accept(transaction, job) for job in jobs]
            receipt = Receipt(Taken.QUEUED, accepted[0])
        if new or receipt.taken is Taken.QUEUED:
            run = receipt.run or None
            runs.attach(transaction, found.connection, found.id, receipt.taken.value, run)
        return receipt

    def _is_full(self) -> bool:
        """Counted at most once a second: the bound is there for the disk, not for exactness."""
        at, number = self._counted
        now = self._clock()
        if now - at > 1.0:
            with self._jobs.engine.connect() as connection:
                number = runs.depth(connection)[0]
            self._counted = (now, number)
        return number >= self._most


def jobs_of(connection: Connection, event: Event) -> list[Job]:
    """The work that follows from an event; none for what is not for us."""
    match event:
        case events.Ping() | events.Ignored():
            return []
        case events.PullEvent():
            return _pull_jobs(connection, event)
        case events.PushEvent(repository, branch, sha, before):
            if branch != connection.branch:
                return []  # a pull request's own branch: the forge tells of that separately
            return push_jobs(connection, repository, sha, before, Reason.BASE_MOVED)
        case events.RerunEvent(repository, sha, ()):
            return [_job(connection, Kind.RERUN, repository, 0, Reason.RERUN, {"sha": sha})]
        case events.RerunEvent(repository, _, numbers):
            about = (connection, Kind.CHECK, repository)
            return [_job(*about, number, Reason.RERUN, {}) for number in numbers]
        case events.MergeGroupEvent(repository, head, base, number=number):
            details = {"sha": head, "base": base, "brings": number}
            return [_job(connection, Kind.CHECK, repository, 0, Reason.MERGE_GROUP, details)]
        case events.CommentEvent(repository, about, author, commands):
            written = [dataclasses.asdict(command) for command in commands]
            said = {"author": author, "commands": written}
            return [_job(connection, Kind.COMMAND, repository, about, Reason.COMMAND, said)]
        case _ as unreachable:
            assert_never(unreachable)


def _pull_jobs(connection: Connection, event: events.PullEvent) -> list[Job]:
    repository, number = event.repository, event.number
    if event.action is PullAction.LABELED:
        # What is to be rendered is the same as before: only the gates look at labels.
        return [_job(connection, Kind.GATES, repository, number, event.action, {})]
    if event.action not in (PullAction.CLOSED, PullAction.MERGED):
        edited = event.action is PullAction.EDITED
        reason = Reason.UPDATED if edited else Reason(event.action.value)
        return [_job(connection, Kind.CHECK, repository, number, reason, {})]
    # Takes the place of a check that may be running, and finds the pull request closed.
    closed = _job(connection, Kind.CHECK, repository, number, Reason.CLOSED, {})
    if event.action is PullAction.CLOSED or event.base_ref not in ("", connection.branch):
        return [closed]
    details = {"sha": event.merge_sha}
    return [_job(connection, Kind.MERGE, repository, number, "merged", details), closed]


def push_jobs(
    connection: Connection, repository: str, sha: str, before: str, reason: str
) -> list[Job]:
    """What a move of the default branch leads to: new checks, and a look at what was merged.

    Of two pushes the older check of what is open is pointless, and what it merged is not.
    """
    pushed = {"branch": connection.branch, "sha": sha}
    merge = _job(connection, Kind.MERGE, repository, 0, "push", {"sha": sha, "before": before})
    return [_job(connection, Kind.PUSH, repository, 0, reason, pushed), merge]


def _job(
    connection: Connection,
    kind: Kind,
    repository: str,
    number: int,
    reason: str,
    details: Mapping[str, Any],
) -> Job:
    # As the settings spell it: a forge that changes the case must not make a second queue.
    known = connection.repository(repository) or repository
    return Job(kind, connection.name, known, number, reason, details)


def content_of(event: Event) -> dict[str, Any]:
    """The event as plain JSON: what is kept of a delivery."""
    return {"type": type(event).__name__, **dataclasses.asdict(event)}
