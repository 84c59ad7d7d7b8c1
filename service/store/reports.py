"""Kept reports: compressed, by age and total size."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from service.store.tables import report, upsert

_LEVEL = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A report as it was made."""

    json: str
    html: str


def keep(connection: sa.Connection, identity: str, found: Report, at: float) -> None:
    """Keep the report, in place of an earlier one of the same run."""
    packed = {name: zlib.compress(text.encode(), _LEVEL) for name, text in _parts(found).items()}
    size = sum(len(part) for part in packed.values())
    row: dict[str, Any] = {"id": identity, "kept": at, "size": size, **packed}
    statement = upsert(connection, report).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))


def read(connection: sa.Connection, identity: str) -> Report | None:
    """The report of this name."""
    row = connection.execute(sa.select(report).where(report.c.id == identity)).first()
    if row is None:
        return None
    return Report(zlib.decompress(row.json).decode(), zlib.decompress(row.html).decode())


def names(connection: sa.Connection, limit: int, offset: int) -> list[dict[str, Any]]:
    """Which reports are kept, newest first."""
    columns = sa.select(report.c.id, report.c.kept, report.c.size)
    query = columns.order_by(report.c.kept.desc(), report.c.id).limit(limit).offset(offset)
    return [dict(row._mapping) for row in connection.execute(query)]


def kept(connection: sa.Connection, identities: Iterable[str]) -> frozenset[str]:
    """Which of these reports are (still) there."""
    query = sa.select(report.c.id).where(report.c.id.in_(list(identities)))
    return frozenset(str(row.id) for row in connection.execute(query))


def clean(connection: sa.Connection, *, before: float, most_bytes: int) -> int:
    """Drop what is older, and of the rest the oldest beyond the total size; returns how many."""
    dropped = connection.execute(
        report.delete().where(report.c.kept < before).returning(report.c.id)
    ).all()
    newest = sa.select(report.c.id, report.c.size).order_by(report.c.kept.desc(), report.c.id)
    total, beyond = 0, []
    for row in connection.execute(newest):
        total += row.size
        if total > most_bytes:
            beyond.append(row.id)
    for start in range(0, len(beyond), 500):
        connection.execute(report.delete().where(report.c.id.in_(beyond[start : start + 500])))
    return len(dropped) + len(beyond)


def total(connection: sa.Connection) -> int:
    """The bytes of all kept reports."""
    return int(connection.execute(sa.select(sa.func.sum(report.c.size))).scalar() or 0)


def _parts(found: Report) -> dict[str, str]:
    return {"json": found.json, "html": found.html}
