"""Jobs for later: what has to be looked at again when time has passed."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from service.model.job import Job, Kind
from service.store.tables import timer, upsert

REASON = "time"
_MOST = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Reminder:
    """A job that is to be queued at a moment; the latest one of a key replaces the others.

    With `gathers` the moment of an earlier one stays: what comes often must not put itself off.
    """

    job: Job
    due: float
    gathers: bool = False


def put(connection: sa.Connection, reminder: Reminder) -> None:
    """Keep the reminder, in place of an earlier one of the same key."""
    row = {**reminder.job.columns, "key": reminder.job.key, "due": reminder.due}
    del row["reason"]
    statement = upsert(connection, timer).values(row)
    changed = {name: row[name] for name in row if not (name == "due" and reminder.gathers)}
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed))


def take(connection: sa.Connection, now: float) -> list[Job]:
    """The jobs whose moment has come; nobody else gets the same ones."""
    due = sa.select(timer.c.key).where(timer.c.due <= now).order_by(timer.c.due).limit(_MOST)
    reason = sa.literal(REASON).label("reason")
    taken = timer.delete().where(timer.c.key.in_(due)).returning(timer, reason)
    ordered = sorted(connection.execute(taken), key=lambda row: (row.due, row.key))
    return [Job.of(row) for row in ordered]


def run_now(connection: sa.Connection, name: str, repository: str, kind: Kind, now: float) -> None:
    """Let all reminders of this kind come now: something that they wait for may have happened."""
    of_repository = (timer.c.connection == name, timer.c.repository == repository)
    chosen = (*of_repository, timer.c.kind == kind.value, timer.c.due > now)
    connection.execute(timer.update().where(*chosen).values(due=now))
