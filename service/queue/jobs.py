"""The one door to the durable queue: accept, cancel, list, retry. DBOS stands behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from dbos import DBOSClient, Serializer

from generator.core.errors import UserError
from service.model.job import Job, Kind, State
from service.store import runs as run_store
from service.store.tables import run
from service.telemetry.meter import METER

if TYPE_CHECKING:
    from dbos import EnqueueOptions

APPLICATION = "gen-env-service"
# A constant on purpose: the default changes with every release, and strands what is running.
APPLICATION_VERSION = "1"
WORKFLOW = "gen_env_job"
WAITING_WORKFLOW = "gen_env_wait"
_WAITING = ["ENQUEUED", "DELAYED"]
_OVER = ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class JsonSerializer(Serializer):
    """JSON, because DBOS's default is pickle: who can write the database could run code."""

    def serialize(self, data: Any) -> str:
        """Exceptions keep their type's name and their text."""
        return json.dumps(data, default=_plain)

    def deserialize(self, serialized_data: str) -> Any:
        """The data; a stored exception comes back as a RuntimeError with its text."""
        data = json.loads(serialized_data)
        return RuntimeError(data["error"]) if isinstance(data, dict) and "error" in data else data

    def name(self) -> str:
        """What DBOS writes beside the data."""
        return "json"


def _plain(value: object) -> Any:
    text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
    return {"error": text} if isinstance(value, BaseException) else text


class Jobs:
    """The queue as those see it who only put something in. Make one per process, after any fork."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self._clock = clock
        self._client = DBOSClient(
            system_database_engine=engine,
            application_name=APPLICATION,
            serializer=JsonSerializer(),
            lazy=True,
            # A web request must answer 503 in time, not wait for a database to come back.
            retry_connection_errors=False,
        )

    def close(self) -> None:
        """Give up the connection; the engine stays the caller's."""
        self._client.destroy()

    def accept(self, connection: sa.Connection, job: Job) -> tuple[str, list[str]]:
        """Queue the job within the caller's transaction: it exists when that commits.

        Returns the run's id, and the ids of queued runs that it makes pointless: give them to
        `cancel` after the commit.
        """
        now = self._clock()
        if job.once and (found := run_store.live(connection, job.key)):
            return found, []
        older, ended = run_store.supersede(connection, job.key, now) if job.newest_wins else ([], 0)
        if ended:
            METER.add("runs", ended, kind=job.kind.value, state=State.SUPERSEDED.value)
        identity = run_store.add_run(connection, job, now)
        options: EnqueueOptions = {
            "workflow_name": WAITING_WORKFLOW if job.waits else WORKFLOW,
            "queue_name": job.queue,
            "workflow_id": identity,
            "queue_partition_key": job.key,
        }
        self._client.enqueue_in_transaction(connection, options, identity)
        return identity, older

    def submit(self, job: Job) -> str:
        """Queue the job in a transaction of its own."""
        with self.engine.begin() as connection:
            identity, older = self.accept(connection, job)
        self.cancel(older)
        return identity

    def cancel(self, identities: Sequence[str]) -> None:
        """Take runs out of the queue that are superseded; those that began find out themselves."""
        if not identities:
            return
        waiting = self._client.list_workflows(
            workflow_ids=list(identities), status=_WAITING, load_input=False, load_output=False
        )
        if waiting:
            self._client.cancel_workflows([found.workflow_id for found in waiting])

    def runs(
        self,
        *,
        states: Sequence[State] = (),
        kind: Kind | None = None,
        repository: str = "",
        number: int = 0,
        limit: int = 50,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """Runs, newest first, as plain data."""
        query = sa.select(run).order_by(run.c.queued.desc(), run.c.id).limit(limit).offset(offset)
        if states:
            query = query.where(run.c.state.in_([state.value for state in states]))
        if kind:
            query = query.where(run.c.kind == kind.value)
        if repository:
            query = query.where(run.c.repository == repository)
        if number:
            query = query.where(run.c.number == number)
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def dead(self, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """The runs that were given up and wait for a person, newest first."""
        return self.runs(states=[State.DEAD], limit=limit, offset=offset)

    def retry(self, identity: str) -> str:
        """Queue a given-up run's job again; returns the new run's id.

        So can a verification that did not succeed: what was mended in the cluster tells nobody.
        Raises UserError when there is no such run, or when it is none of these.
        """
        with self.engine.begin() as connection:
            row = run_store.read(connection, identity)
            if row is None or not _can_be_retried(row):
                raise UserError("this run is not in the dead-letter list")
            marked = run.update().where(run.c.id == identity, run.c.state == row.state)
            connection.execute(marked.values(state=State.RETRIED.value))
            fresh, older = self.accept(connection, job_of(row))
        self.cancel(older)
        return fresh

    def bury(self, older_than: float) -> list[str]:
        """Move runs that the queue has given up to the dead letters; returns their ids."""
        now = self._clock()
        with self.engine.connect() as connection:
            unfinished = run_store.lingering(connection, now - older_than)
        if not unfinished:
            return []
        over = self._client.list_workflows(
            workflow_ids=unfinished, status=_OVER, load_input=False, load_output=False
        )
        summary = "every worker that started this run ended before finishing it"
        buried = []
        for found in over:
            with self.engine.begin() as connection:
                outcome = run_store.Outcome(State.DEAD, summary)
                if run_store.finish(connection, found.workflow_id, outcome, now):
                    buried.append(found.workflow_id)
        return buried

    def forget(self, before: float) -> int:
        """Drop the queue's own record of runs that ended before this moment; returns how many."""
        import datetime

        moment = datetime.datetime.fromtimestamp(before, datetime.UTC).isoformat()
        dropped = 0
        while old := self._client.list_workflows(
            completed_before=moment, limit=500, load_input=False, load_output=False
        ):
            self._client.delete_workflows([found.workflow_id for found in old])
            dropped += len(old)
        return dropped


def _can_be_retried(row: sa.Row[*tuple[Any, ...]]) -> bool:
    unsuccessful = (State.FAILURE.value, State.ERROR.value)
    verified = row.kind == Kind.VERIFY.value and row.state in unsuccessful
    return verified or row.state == State.DEAD.value


def job_of(row: sa.Row[*tuple[Any, ...]]) -> Job:
    """The job that a run was made for."""
    return Job(
        kind=Kind(row.kind),
        connection=row.connection,
        repository=row.repository,
        number=row.number,
        reason=row.reason,
        details=row.details,
    )
