"""The one door to the durable queue: accept, list, retry. The table of runs is the queue."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from generator.core.errors import UserError
from service.model.job import NEWEST_WINS, ONCE, Job, Kind, State
from service.store import runs as run_store
from service.store.tables import Rows, listed, run
from service.telemetry.meter import METER


@dataclasses.dataclass(frozen=True)
class Jobs:
    """The queue as those see it who only put something in. Make one per process, after any fork."""

    engine: sa.Engine
    clock: Callable[[], float] = time.time

    def accept(self, connection: sa.Connection, job: Job) -> str:
        """Queue the job within the caller's transaction: it exists when that commits.

        Returns the run's id.
        """
        now = self.clock()
        if job.kind in ONCE and (found := run_store.live(connection, job.key)):
            return found
        if job.kind in NEWEST_WINS and (ended := run_store.supersede(connection, job.key, now)):
            METER.add("runs", ended, kind=job.kind.value, state=State.SUPERSEDED.value)
        return run_store.add_run(connection, job, now)

    def submit(self, job: Job) -> str:
        """Queue the job in a transaction of its own."""
        with self.engine.begin() as connection:
            return self.accept(connection, job)

    def runs(
        self,
        *,
        states: Sequence[State] = (),
        kind: Kind | None = None,
        repository: str = "",
        number: int = 0,
        limit: int = 50,
        offset: int = 0,
    ) -> Rows:
        """Runs, newest first, as plain data."""
        query = sa.select(run).order_by(run.c.queued.desc(), run.c.id).limit(limit).offset(offset)
        if states:
            query = query.where(run.c.state.in_([state.value for state in states]))
        chosen = ((run.c.kind, kind), (run.c.repository, repository), (run.c.number, number))
        query = query.where(*(column == value for column, value in chosen if value))
        with self.engine.connect() as connection:
            return listed(connection, query)

    def retry(self, identity: str) -> str:
        """Queue a given-up run's job again; returns the new run's id.

        So can a verification that did not succeed: what was mended in the cluster tells nobody.
        Raises UserError when there is no such run, or when it is none of these.
        """
        with self.engine.begin() as connection:
            row = run_store.read(connection, identity)
            failed = row is not None and row.state in (State.FAILURE.value, State.ERROR.value)
            unverified = row is not None and row.kind == Kind.VERIFY.value and failed
            if row is not None and (unverified or row.state == State.DEAD.value):
                marked = run.update().where(run.c.id == identity, run.c.state == row.state)
                # Of two who ask at once the second finds it marked.
                if connection.execute(marked.values(state=State.RETRIED.value)).rowcount:
                    return self.accept(connection, Job.of(row))
        raise UserError("this run is not in the dead-letter list")
