"""Deliveries and runs: what was accepted, and what came of it; in the caller's transaction."""

from __future__ import annotations

import dataclasses
import functools
import math
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from service.model.job import UNFINISHED, Job, Kind, State, run_id
from service.store.tables import Row, delivery, head, run, tally, turn, upsert, upsert_of
from service.telemetry import logs
from service.telemetry.meter import Key, Writer, histogram, text_of


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted delivery; `content` is the event as plain JSON, without the forge's extras."""

    connection: str
    id: str
    digest: str
    event: str
    repository: str
    content: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What is recorded of a finished run."""

    state: State
    summary: str
    head_sha: str = ""
    environments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    transient: bool = False


SERVED = "served:"
"""How the names of turns begin that say when a worker last served a repository."""
# Built once: putting a statement together costs more than carrying it out.
_DELIVERY = tuple(field.name for field in dataclasses.fields(Delivery))
_ADD_RUN = run.insert()
_this = sa.bindparam
_ATTACH = delivery.update().where(
    delivery.c.connection == _this("at_connection"), delivery.c.id == _this("at_id")
)
_BY_ID = sa.select(delivery.c.run).where(
    delivery.c.connection == _this("name"), delivery.c.id == _this("id")
)
_BY_DIGEST = sa.select(delivery.c.run).where(
    delivery.c.digest == _this("digest"), delivery.c.connection == _this("name")
)
# Two searches, each with an index: joined by OR they would read every delivery.
_EARLIER = sa.select(run.c.id, run.c.state).where(run.c.id.in_(sa.union(_BY_ID, _BY_DIGEST)))
_SUPERSEDE = run.update().where(run.c.key == _this("of_key"), run.c.state.in_(UNFINISHED))
_SUPERSEDED = {"state": State.SUPERSEDED.value, "summary": "superseded by a newer event"}
_ATTACH = _ATTACH.values(outcome=_this("outcome"), run=_this("run"))
_EARLIER = _EARLIER.order_by(run.c.queued.desc())
_SUPERSEDE = _SUPERSEDE.values(**_SUPERSEDED, ended=_this("at")).returning(run.c.id)


@functools.cache
def _kept(dialect: str) -> Any:
    statement = upsert_of(dialect, delivery).values(outcome="accepted")
    row: dict[str, Any] = {name: sa.bindparam(name) for name in (*_DELIVERY, "received")}
    return statement.values(row).on_conflict_do_nothing().returning(delivery.c.id)


@functools.cache
def _raised(dialect: str) -> Any:
    statement = upsert_of(dialect, head).on_conflict_do_update(
        index_elements=["key"], set_={"seq": head.c.seq + 1}
    )
    return statement.returning(head.c.seq)


def add_delivery(connection: sa.Connection, found: Delivery, at: float) -> bool:
    """Keep the delivery; False when one of this id is there already."""
    row = {**{name: getattr(found, name) for name in _DELIVERY}, "received": at}
    # Not rowcount: it is -1 for this statement with SQLAlchemy 2.1 on psycopg.
    return connection.execute(_kept(connection.dialect.name), row).first() is not None


def attach(connection: sa.Connection, name: str, id: str, outcome: str, run: str | None) -> None:
    """Note what became of a delivery."""
    values = {"at_connection": name, "at_id": id, "outcome": outcome, "run": run}
    connection.execute(_ATTACH, values)


def earlier(connection: sa.Connection, found: Delivery) -> Row | None:
    """The state and id of the run that these very bytes, or this delivery's id, led to before."""
    words = {"name": found.connection, "id": found.id, "digest": found.digest}
    row: Row | None = connection.execute(_EARLIER, words).first()
    return row


def add_run(connection: sa.Connection, job: Job, at: float) -> str:
    """A new queued run of the job."""
    key = job.key
    raised = connection.execute(_raised(connection.dialect.name), {"key": key, "seq": 1})
    seq = raised.scalar_one()
    identity = run_id(key, seq)
    # Whoever knows a report's name may read it: it must not be guessed.
    report = secrets.token_hex(16)
    row = {"id": identity, "key": key, "seq": seq, "origin": logs.origin(), "report": report}
    connection.execute(_ADD_RUN, {**job.columns, **row, "queued": at})
    return identity


def supersede(connection: sa.Connection, key: str, at: float) -> int:
    """End the unfinished runs of a key; returns how many there were."""
    return len(connection.execute(_SUPERSEDE, {"of_key": key, "at": at}).all())


def live(connection: sa.Connection, key: str) -> str | None:
    """A run of this key that is unfinished, or ended without being given up."""
    over = (State.DEAD.value, State.RETRIED.value, State.SUPERSEDED.value)
    query = sa.select(run.c.id).where(run.c.key == key, run.c.state.not_in(over))
    found = connection.execute(query.limit(1)).scalar()
    return str(found) if found is not None else None


def begin(connection: sa.Connection, identity: str, at: float, owner: str = "") -> Row | None:
    """Note that the run has begun (again); None when nothing is left to do under this claim."""
    values = {"state": State.RUNNING.value, "started": sa.func.coalesce(run.c.started, at),
              "attempts": run.c.attempts + 1}  # fmt: skip
    return connection.execute(_unfinished(identity, owner).values(values).returning(run)).first()


def _unfinished(identity: str, owner: str) -> sa.Update:
    ours = (run.c.id == identity, run.c.owner == owner)
    return run.update().where(*ours, run.c.state.in_(UNFINISHED))


def finish(
    connection: sa.Connection, identity: str, outcome: Outcome, at: float, owner: str = ""
) -> bool:
    """Record the outcome; False when there is one already, or another claim than `owner`."""
    statement = _unfinished(identity, owner).values(
        state=outcome.state.value, summary=outcome.summary[:2000], head_sha=outcome.head_sha,
        environments=dict(outcome.environments), transient=outcome.transient, ended=at, owner="",
    )  # fmt: skip
    row = connection.execute(statement.returning(run.c.kind, run.c.started)).first()
    if row is None:
        return False
    seconds = histogram("run_duration_seconds", at - (row.started or at), {"kind": row.kind})
    ended = text_of({"kind": row.kind, "state": outcome.state.value})
    count(connection, {("runs", ended): 1.0, **seconds})
    return True


def is_running(connection: sa.Connection, identity: str, owner: str = "") -> bool:
    """Whether the run is still wanted, and of the claim `owner`."""
    query = sa.select(run.c.state).where(run.c.id == identity, run.c.owner == owner)
    return connection.execute(query).scalar() == State.RUNNING.value


def hold(connection: sa.Connection, identity: str, owner: str) -> bool:
    """Whether the run is of the claim `owner`; it stays so until the transaction ends."""
    held = run.update().where(run.c.id == identity, run.c.owner == owner).values(owner=owner)
    return connection.execute(held.returning(run.c.id)).first() is not None


def read(connection: sa.Connection, identity: str) -> Row | None:
    """One run."""
    return connection.execute(sa.select(run).where(run.c.id == identity)).first()


def newest_checks(connection: sa.Connection, name: str, repository: str) -> dict[int, Row]:
    """The last check of every pull request of a repository, by number."""
    of_repository = (run.c.connection == name, run.c.repository == repository)
    checks = (run.c.kind == Kind.CHECK.value, run.c.number > 0)
    query = sa.select(run).where(*of_repository, *checks).order_by(run.c.seq)
    return {row.number: row for row in connection.execute(query)}


def knows_push(connection: sa.Connection, job: Job, sha: str) -> bool:
    """Whether a run of this branch's key was made for this commit."""
    query = sa.select(run.c.details).where(run.c.key == job.key).order_by(run.c.seq.desc())
    return any(row.details.get("sha") == sha for row in connection.execute(query.limit(50)))


def depth(connection: sa.Connection) -> tuple[int, float | None]:
    """How many runs are unfinished, and when the oldest of them was queued."""
    query = sa.select(sa.func.count(), sa.func.min(run.c.queued)).where(run.c.state.in_(UNFINISHED))
    number, oldest = connection.execute(query).one()
    return int(number), oldest


def dead(connection: sa.Connection) -> int:
    """How many runs wait for a person."""
    query = sa.select(sa.func.count()).where(run.c.state == State.DEAD.value)
    return int(connection.execute(query).scalar_one())


def writer(engine: sa.Engine) -> Writer:
    """What writes the numbers of a meter, in one transaction."""

    def write(counts: Mapping[Key, float], gauges: Mapping[Key, float]) -> None:
        with engine.begin() as connection:
            count(connection, counts)
            _tally(connection, gauges, lambda new: new)

    return write


def count(connection: sa.Connection, found: Mapping[Key, float]) -> None:
    """Add to counters, which outlive every process."""
    _tally(connection, found, lambda new: tally.c.value + new)


def _tally(
    connection: sa.Connection, found: Mapping[Key, float], value: Callable[[Any], Any]
) -> None:
    # In one order everywhere: two processes that lock rows crosswise would wait for ever.
    rows = [{"name": name, "labels": labels, "value": by}
            for (name, labels), by in sorted(found.items())]  # fmt: skip
    for start in range(0, len(rows), 200):
        statement = upsert(connection, tally).values(rows[start : start + 200])
        place, changed = ["name", "labels"], {"value": value(statement.excluded.value)}
        connection.execute(statement.on_conflict_do_update(index_elements=place, set_=changed))


def tallies(connection: sa.Connection) -> list[tuple[str, str, float]]:
    """All counters, sorted."""
    query = sa.select(tally).order_by(tally.c.name, tally.c.labels)
    return [(row.name, row.labels, row.value) for row in connection.execute(query)]


def take_turn(connection: sa.Connection, name: str, every: float, at: float) -> bool:
    """Whether it is the caller's turn: true for one of all processes in each interval."""
    statement = upsert(connection, turn).values(name=name, taken=at, seen_sha="")
    taken = statement.on_conflict_do_update(
        index_elements=["name"], set_={"taken": at}, where=turn.c.taken <= at - every
    ).returning(turn.c.name)
    return connection.execute(taken).first() is not None


def note_sha(connection: sa.Connection, name: str, sha: str) -> str:
    """Remember the commit under this name; returns the one remembered before."""
    query = sa.select(turn.c.seen_sha).where(turn.c.name == name)
    before = connection.execute(query).scalar()
    connection.execute(turn.update().where(turn.c.name == name).values(seen_sha=sha))
    return str(before or "")


def end_strays(connection: sa.Connection, before: float, at: float) -> list[Row]:
    """End the unfinished runs of repositories that no worker has served since `before`, because
    their connection left the settings; returns them.

    A repository that never was noted as served counts as served at the first look: an earlier
    version of gen-env noted none.
    """
    unfinished = run.c.state.in_(UNFINISHED)
    place = run.c.connection + "/" + run.c.repository
    for name in sorted(connection.scalars(sa.select(place).where(unfinished).distinct())):
        take_turn(connection, f"{SERVED}{name}", math.inf, at)
    since = sa.select(turn.c.name).where(turn.c.taken >= before)
    waiting = (unfinished, run.c.queued < before, run.c.due < before)
    strays = run.update().where(*waiting, (SERVED + place).not_in(since))
    said = "not run: no worker has this repository in its settings"
    values = {"state": State.ERROR.value, "summary": said, "ended": at, "owner": ""}
    return list(connection.execute(strays.values(values).returning(run)))


def serve_all(connection: sa.Connection, at: float) -> None:
    """Note every repository as served: while no worker ran, none could serve it."""
    names = turn.c.name.startswith(SERVED, autoescape=True)
    connection.execute(turn.update().where(names, turn.c.taken < at).values(taken=at))


def last_turn(connection: sa.Connection, name: str) -> float:
    """When this turn was taken last; 0 before the first time."""
    return connection.scalar(sa.select(turn.c.taken).where(turn.c.name == name)) or 0.0


def forget(connection: sa.Connection, *, deliveries: float, runs: float) -> None:
    """Drop deliveries and finished runs from before these moments; dead letters stay."""
    connection.execute(delivery.delete().where(delivery.c.received < deliveries))
    kept = (*UNFINISHED, State.DEAD.value)
    connection.execute(run.delete().where(run.c.ended < runs, run.c.state.not_in(kept)))
