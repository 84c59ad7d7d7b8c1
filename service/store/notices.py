"""What people are to be told, until they are told; each thing once."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from service.store.tables import notice, upsert

_ATTEMPTS = 6
_FIRST_WAIT = 30.0
_CLAIM = 300.0
"""Seconds after which another worker takes what this one took and did not settle."""


def keep(
    connection: sa.Connection, route: str, about: tuple[str, ...], title: str, body: str, now: float
) -> None:
    """Have a plain text sent to the route, unless it was told `about` the same before."""
    key = hashlib.sha256("\0".join((route, *about)).encode()).hexdigest()
    row = {"key": key, "route": route, "title": title, "body": body,
           "due": now, "made": now, "attempts": 0}  # fmt: skip
    connection.execute(upsert(connection, notice).values(row).on_conflict_do_nothing())


def claim(connection: sa.Connection, route: str, now: float) -> sa.Row[tuple[object, ...]] | None:
    """The next one to send; nobody else gets it meanwhile."""
    due = sa.select(notice.c.key).where(
        # A message that ends every worker that sends it is given up as well.
        notice.c.route == route, notice.c.due <= now, notice.c.attempts < _ATTEMPTS
    )  # fmt: skip
    first = due.order_by(notice.c.due).limit(1).scalar_subquery()
    taken = notice.update().where(notice.c.key == first, notice.c.due <= now)
    taken = taken.values(due=now + _CLAIM, attempts=notice.c.attempts + 1)
    return connection.execute(taken.returning(notice)).first()


def settle(connection: sa.Connection, key: str, attempts: int, now: float, *, sent: bool) -> bool:
    """Record how the attempt ended; whether it is over, sent or given up."""
    over = sent or attempts >= _ATTEMPTS
    due = None if over else now + _FIRST_WAIT * 2 ** (attempts - 1)
    connection.execute(notice.update().where(notice.c.key == key).values(due=due))
    return over


def forget(connection: sa.Connection, before: float) -> None:
    """Drop what was made before: the same thing may be told again then."""
    connection.execute(notice.delete().where(notice.c.made < before))
