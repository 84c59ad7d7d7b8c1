"""What is on record, as plain data: for the pages, and for the runs that come after others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from service.model.job import UNFINISHED, Kind, State, verify_key
from service.store.tables import Rows, branch, executor, grant, listed, now, run, upsert
from service.telemetry import logs

_AFTER = (Kind.VERIFY.value, Kind.PROMOTE.value, Kind.ROLLBACK.value)
_MOST = 50
ByPlace = dict[tuple[str, str, str], dict[str, Any]]
"""A run by connection, repository and environment."""


def pulls(
    connection: sa.Connection, limit: int, offset: int = 0, states: Iterable[State] = State
) -> Rows:
    """The newest check of each open pull request, if it is in one of these states; newest first,
    each with its `gates` run.
    """
    newest = (
        sa.select(run.c.key, sa.func.max(run.c.seq).label("seq"))
        .where(run.c.kind == Kind.CHECK.value, run.c.number > 0)
        .group_by(run.c.key)
        .subquery()
    )
    query = (
        sa.select(run)
        .join(newest, (run.c.key == newest.c.key) & (run.c.seq == newest.c.seq))
        .where(run.c.reason != "closed", ~run.c.summary.startswith("the pull request is "))
        .where(run.c.state.in_([state.value for state in states]))
        .order_by(run.c.queued.desc(), run.c.id)
    )
    found = listed(connection, query.limit(limit).offset(offset))
    keys = [f"{row['key']}:{Kind.GATES}" for row in found]
    judged = sa.select(run).where(run.c.key.in_(keys), run.c.state != State.SUPERSEDED.value)
    gates = {row["key"]: row for row in listed(connection, judged.order_by(run.c.seq))}
    return [{**row, "gates": gates.get(key)} for row, key in zip(found, keys, strict=True)]


def verifications(connection: sa.Connection) -> ByPlace:
    """By connection, repository and environment: the last verification, and as `verified` the last
    one that ended well.
    """
    verified = _last(connection, Kind.VERIFY, run.c.state == State.SUCCESS.value)
    last = _last(connection, Kind.VERIFY, run.c.state != State.SUPERSEDED.value)
    return {place: {**row, "verified": verified.get(place)} for place, row in last.items()}


def comparisons(connection: sa.Connection) -> ByPlace:
    """By connection, repository and environment: the last comparison with the cluster."""
    over = (State.SUCCESS.value, State.FAILURE.value, State.ERROR.value, State.DEAD.value)
    return _last(connection, Kind.DRIFT, run.c.state.in_(over))


def _last(connection: sa.Connection, kind: Kind, condition: sa.ColumnElement[bool]) -> ByPlace:
    place = (run.c.connection, run.c.repository, run.c.details["environment"].as_string())
    number = sa.func.row_number().over(partition_by=place, order_by=(run.c.queued.desc(), run.c.id))
    chosen = sa.select(run.c.id, number.label("number")).where(run.c.kind == kind.value, condition)
    ranked = chosen.subquery()
    query = sa.select(run).join(ranked, run.c.id == ranked.c.id).where(ranked.c.number == 1)
    return {
        (row["connection"], row["repository"], str(row["details"].get("environment", ""))): row
        for row in listed(connection, query)
    }


def keep_branch(connection: sa.Connection, name: str, sha: str, content: Any, at: float) -> None:
    """Keep what stands on a default branch, in place of what stood there before."""
    row = {"name": name, "sha": sha, "content": content, "read": at}
    statement = upsert(connection, branch).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))


def branches(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """What stood on the default branches when they were last read, by `connection/repository`."""
    return {row["name"]: row for row in listed(connection, sa.select(branch))}


def unfinished(connection: sa.Connection) -> Rows:
    """How many runs are queued and running, by repository and kind, and since when."""
    columns = (run.c.connection, run.c.repository, run.c.kind, run.c.state)
    numbers = (sa.func.count().label("number"), sa.func.min(run.c.queued).label("oldest"))
    query = sa.select(*columns, *numbers).where(run.c.state.in_(UNFINISHED))
    return listed(connection, query.group_by(*columns).order_by(*columns))


def workers(connection: sa.Connection) -> Rows:
    """The workers that have given a sign of life, the newest sign first."""
    return listed(connection, sa.select(executor).order_by(executor.c.seen.desc()).limit(100))


def granted(connection: sa.Connection, limit: int, offset: int) -> Rows:
    """What people accepted, overrode, allowed and retried, newest first."""
    person = run.c.origin[logs.PERSON].as_string()
    retried = sa.select(
        run.c.key, run.c.head_sha, sa.literal("retry"), run.c.kind, person, sa.literal(""),
        run.c.queued,
    ).where(person.is_not(None))  # fmt: skip
    query = sa.union_all(sa.select(grant), retried).order_by(sa.desc("given"), "key", "rule")
    return listed(connection, query.limit(limit).offset(offset))


def of_report(connection: sa.Connection, identity: str) -> dict[str, Any] | None:
    """The run that made a report, with the `grants` that hold for its commit."""
    found = listed(connection, sa.select(run).where(run.c.report == identity))
    if not found:
        return None
    [made] = found
    query = sa.select(grant).where(grant.c.key == made["key"], grant.c.sha == made["head_sha"])
    return {**made, "grants": listed(connection, query.order_by(grant.c.given))}


def living(connection: sa.Connection, at: float, lease_seconds: float) -> int:
    """How many workers have a recent heartbeat; `at` is the time where the database has none."""
    since = now(connection, at) - lease_seconds
    living = sa.select(sa.func.count()).where(executor.c.seen > since)
    return int(connection.execute(living).scalar_one())


@dataclasses.dataclass(frozen=True)
class Runs:
    """The runs about one repository; `url` gives the page of a report by its name."""

    engine: sa.Engine
    connection: str
    repository: str
    url: Callable[[str], str]

    def of_key(self, key: str) -> Rows:
        """The runs of a key, newest first."""
        query = sa.select(run).where(run.c.key == key).order_by(run.c.seq.desc()).limit(_MOST)
        return self._read(query)

    def of_number(self, number: int) -> Rows:
        """Verifications and proposals that a merged pull request led to, oldest first."""
        mine = (run.c.connection == self.connection, run.c.repository == self.repository)
        about = (run.c.number == number, run.c.kind.in_(_AFTER))
        return self._read(sa.select(run).where(*mine, *about).order_by(run.c.queued, run.c.id))

    def _read(self, query: sa.Select[tuple[object, ...]]) -> Rows:
        with self.engine.connect() as connection:
            return [{**row, "url": self.url(row["report"])} for row in listed(connection, query)]


def verified(
    connection: sa.Connection,
    *,
    repository: str = "",
    environment: str = "",
    sha: str = "",
    limit: int,
    offset: int,
) -> Rows:
    """Verifications of environments, newest first; empty words choose nothing."""
    query = sa.select(run).where(run.c.kind == Kind.VERIFY.value)
    if repository:
        query = query.where(run.c.repository == repository)
    if environment:
        query = query.where(run.c.key.contains(verify_key("", environment), autoescape=True))
    if sha:
        query = query.where(run.c.key.endswith(f":{sha}", autoescape=True))
    newest_first = query.order_by(run.c.queued.desc(), run.c.id)
    return listed(connection, newest_first.limit(limit).offset(offset))
