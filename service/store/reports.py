"""Kept reports: compressed, by age and total size."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from service.store.tables import Rows, listed, report, upsert

_LEVEL = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A report as it was made."""

    json: str
    html: str


def keep(connection: sa.Connection, identity: str, found: Report, at: float) -> None:
    """Keep the report, in place of an earlier one of the same run."""
    texts = dataclasses.asdict(found)
    packed = {name: zlib.compress(text.encode(), _LEVEL) for name, text in texts.items()}
    size = sum(map(len, packed.values()))
    row: dict[str, Any] = {"id": identity, "kept": at, "size": size, **packed}
    statement = upsert(connection, report).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))


def read(connection: sa.Connection, identity: str) -> Report | None:
    """The report of this name."""
    row = connection.execute(sa.select(report).where(report.c.id == identity)).first()
    if row is None:
        return None
    return Report(zlib.decompress(row.json).decode(), zlib.decompress(row.html).decode())


def names(connection: sa.Connection, limit: int, offset: int) -> Rows:
    """Which reports are kept, newest first."""
    columns = sa.select(report.c.id, report.c.kept, report.c.size)
    query = columns.order_by(report.c.kept.desc(), report.c.id).limit(limit).offset(offset)
    return listed(connection, query)


def kept(connection: sa.Connection, identities: Iterable[str]) -> frozenset[str]:
    """Which of these reports are (still) there."""
    query = sa.select(report.c.id).where(report.c.id.in_(list(identities)))
    return frozenset(connection.execute(query).scalars())


def clean(connection: sa.Connection, *, before: float, most_bytes: int) -> int:
    """Drop what is older, and of the rest the oldest beyond the total size; returns how many."""
    newest_first = (report.c.kept.desc(), report.c.id)
    sizes = sa.func.sum(report.c.size).over(order_by=newest_first)
    running = sa.select(report.c.id, sizes.label("total")).subquery()
    beyond = sa.select(running.c.id).where(running.c.total > most_bytes)
    dropped = report.delete().where((report.c.kept < before) | report.c.id.in_(beyond))
    return len(connection.execute(dropped.returning(report.c.id)).all())


def total(connection: sa.Connection) -> int:
    """The bytes of all kept reports."""
    return int(connection.execute(sa.select(sa.func.sum(report.c.size))).scalar() or 0)
