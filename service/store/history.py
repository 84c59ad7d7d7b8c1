"""What is on record of runs, for those who come after them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import sqlalchemy as sa

from service.model.job import Kind, verify_key
from service.store.tables import Rows, listed, run

_AFTER = (Kind.VERIFY.value, Kind.PROMOTE.value, Kind.ROLLBACK.value)
_MOST = 50


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


def verifications(
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
