"""One run of what comes after a check: what it is given, and what it leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from service.check.reporter import Context
from service.model.job import Grants, Job, Kind, State
from service.settings.schema import Connection
from service.store.overview import Runs
from service.store.reminders import Reminder
from service.store.reports import Report
from service.store.runs import Outcome

if TYPE_CHECKING:
    from generator.cluster import Cluster


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """A job to carry out, and the handles that it works with.

    `started` is when it was first begun, `history` gives earlier runs about the same, `marker` is
    what our comment is known by, `interval` how often what depends on time is looked at again.
    """

    job: Job
    context: Context
    started: float
    clock: Callable[[], float]
    history: Runs
    grants: Callable[[str], Grants]
    marker: str
    interval: float = 600.0

    @property
    def connection(self) -> Connection:
        """The settings of the job's connection."""
        return self.context.connection

    @property
    def now(self) -> datetime:
        """The time, aware."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def detail(self, name: str) -> str:
        """One of the job's details as text; empty where it is not there."""
        return str(self.job.details.get(name) or "")

    def then(self, kind: Kind, number: int | None = None, **details: str) -> Job:
        """A job that follows from this one, about the same pull request unless it names another."""
        about = self.job.number if number is None else number
        return dataclasses.replace(self.job, kind=kind, number=about, details=details)

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name in gen-env.yaml, opened; UserError where it is not known."""
        known = self.connection.verification
        if known is None or name not in known.clusters:
            raise UserError(f"the service has no verification.clusters.{name}")
        return known.clusters[name].open()


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """How a run ended, and what follows from it once that is recorded.

    `reminders` come later; `run_now` says that gates may have opened or closed.
    """

    outcome: Outcome
    follow: tuple[Job, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    report: Report | None = None
    run_now: bool = False


def neutral(summary: str, sha: str = "", *reminders: Reminder) -> Done:
    """Nothing was to be done, for this reason."""
    return Done(Outcome(State.NEUTRAL, summary, sha), reminders=reminders)


def superseded(sha: str = "", by: str = "a newer event") -> Done:
    """Somebody else speaks: nothing more is written."""
    return Done(Outcome(State.SUPERSEDED, f"superseded by {by}", sha))


After = Callable[[Task], Done]
"""The work of one such job; raises as a check does. Running it again changes nothing."""
