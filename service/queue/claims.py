"""Which worker carries out which run: claimed with a lease, and anybody's when the lease ends.

A run that a worker has carries the claim (`owner`), and `due` says when its lease ends. Whatever a
run leaves is written under its claim: a worker that comes back after another took over writes
nothing. Leases go by the server's clock on PostgreSQL, and by the one host's on SQLite.

A claim ends by `release`, `hand_back` or `expire`, or by itself when the lease runs out. After the
last two the run was lost once more, and whoever takes it over says so.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from service.model.job import FOLLOW_A_CLUSTER, UNFINISHED, State
from service.store import runs
from service.store.tables import executor, now, run, upsert

log = logging.getLogger("gen_env.claims")
_FORGET_AFTER = 3600.0
Place = tuple[str, str]
"""A connection's name and a repository."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A run that is ours until its lease ends; `failures` are tries before this one that ended,
    `lost` counts the workers that died over it.
    """

    run: str
    owner: str
    failures: int
    lost: int


class Claims:
    """What one worker takes; its `identity` is one that no worker had before."""

    def __init__(self, engine: sa.Engine, identity: str, lease_seconds: float) -> None:
        self._engine = engine
        self._identity = identity
        self.lease_seconds = lease_seconds
        self._numbers = itertools.count(1)
        self._served: dict[Place, int] = {}

    def take(
        self, places: Collection[Place], *, waits: bool, busy: Collection[Claim] = ()
    ) -> Claim | None:
        """Claim the oldest run of the repository that was served longest ago, if there is any.

        With `waits` one that follows a cluster, else one that does not. Runs of one key are taken
        in their order, and never while another one of that key is at work. `busy` are those that
        this worker is at itself, however late it renews their leases.
        """
        kind = run.c.kind.in_(FOLLOW_A_CLUSTER)
        with self._engine.begin() as connection:
            at = now(connection)
            idle = run.c.owner.not_in([claim.owner for claim in busy])
            ready = (run.c.state.in_(UNFINISHED), run.c.due <= at, idle, kind if waits else ~kind)
            query = sa.select(run.c.connection, run.c.repository).where(*ready).distinct()
            found = {(row.connection, row.repository) for row in connection.execute(query)}
            ours = found.intersection(places)
            for place in sorted(ours, key=lambda place: (self._served.get(place, 0), place)):
                if claim := self._claim(connection, place, ready, at):
                    return claim
        return None

    def _claim(
        self,
        connection: sa.Connection,
        place: Place,
        ready: tuple[sa.ColumnElement[bool], ...],
        at: float,
    ) -> Claim | None:
        here = (run.c.connection == place[0], run.c.repository == place[1])
        query = sa.select(run).where(*ready, *here, ~_is_blocked(at))
        query = query.order_by(run.c.queued, run.c.id).limit(1)
        row = connection.execute(query.with_for_update(skip_locked=True, of=run)).first()
        if row is None:
            return None
        number, taken_over = next(self._numbers), bool(row.owner)
        owner, lost = f"{self._identity}/{number}", row.lost + taken_over
        # Where nothing locks the row that was read, somebody may have been faster.
        free = run.update().where(run.c.id == row.id, run.c.owner == row.owner, *ready)
        claimed = free.values(owner=owner, due=at + self.lease_seconds, lost=lost)
        if connection.execute(claimed.returning(run.c.id)).first() is None:
            return None
        if taken_over:
            log.warning("takes over a run of a silent worker", extra={"run": row.id})
            runs.count(connection, {("takeovers", ""): 1.0})
        self._served[place] = number
        return Claim(row.id, owner, max(0, row.attempts - lost), lost)

    def renew(self, claims: Collection[Claim]) -> None:
        """Say that this worker lives, and that it still works on these."""
        with self._engine.begin() as connection:
            at = now(connection)
            seen = upsert(connection, executor).values(id=self._identity, seen=at)
            connection.execute(seen.on_conflict_do_update(index_elements=["id"], set_={"seen": at}))
            ours = run.c.owner.in_([claim.owner for claim in claims])
            connection.execute(run.update().where(ours).values(due=at + self.lease_seconds))
            old = executor.c.seen < at - _FORGET_AFTER
            connection.execute(executor.delete().where(old))

    def release(self, claim: Claim, after: float = 0.0) -> None:
        """Give the claim up; a run that is not over may be started again in `after` seconds."""
        waits = sa.case((run.c.state == State.RUNNING.value, State.QUEUED.value), else_=run.c.state)
        with self._engine.begin() as connection:
            values = {"owner": "", "due": now(connection) + after, "state": waits}
            connection.execute(run.update().where(run.c.owner == claim.owner).values(values))

    def hand_back(self) -> None:
        """Give up every claim of this worker, which stops in good order.

        What it has not finished is anybody's, and neither a failed try nor a death.
        """
        begun = run.c.state == State.RUNNING.value
        with self._engine.begin() as connection:
            attempts = sa.case((begun, run.c.attempts - 1), else_=run.c.attempts)
            state = sa.case((begun, State.QUEUED.value), else_=run.c.state)
            values = {"owner": "", "due": 0.0, "attempts": attempts, "state": state}
            connection.execute(run.update().where(_of(self._identity)).values(values))
        expire(self._engine, self._identity)


def expire(engine: sa.Engine, identity: str) -> None:
    """End the leases of a worker that is gone: its runs need not wait. Whoever knows may."""
    with engine.begin() as connection:
        connection.execute(executor.delete().where(executor.c.id == identity))
        connection.execute(run.update().where(_of(identity)).values(due=0.0))


def _of(identity: str) -> sa.ColumnElement[bool]:
    return run.c.owner.startswith(f"{identity}/", autoescape=True)


def _is_blocked(at: float) -> Any:
    """Whether an earlier run of the key is not over, or a superseded one is still at work."""
    other = run.alias()
    earlier = other.c.state.in_(UNFINISHED) & (other.c.seq < run.c.seq)
    at_work = (other.c.owner != "") & (other.c.due > at) & (other.c.id != run.c.id)
    return sa.exists().where(other.c.key == run.c.key, earlier | at_work)
