"""The service's tables."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from generator.core.errors import UserError

VERSION = 7
"""Raised with every change of the tables, together with a step in `_STEPS`."""

Rows = list[dict[str, Any]]
Row = sa.Row[*tuple[Any, ...]]
metadata = sa.MetaData()

delivery = sa.Table(
    "gen_env_delivery",
    metadata,
    sa.Column("connection", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("received", sa.Float, nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("event", sa.String(200), nullable=False),
    sa.Column("repository", sa.String(400), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("run", sa.String(32)),
)
head = sa.Table(
    "gen_env_head",
    metadata,
    sa.Column("key", sa.String(500), primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
)
run = sa.Table(
    "gen_env_run",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(500), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("connection", sa.String(64), nullable=False),
    sa.Column("repository", sa.String(400), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(20), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    # Which delivery it came from, and the trace that goes on in it.
    sa.Column("origin", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("report", sa.String(32), nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False, index=True, default="queued"),
    sa.Column("summary", sa.Text, nullable=False, default=""),
    sa.Column("head_sha", sa.String(64), nullable=False, default=""),
    sa.Column("environments", sa.JSON, nullable=False, default=dict),
    sa.Column("transient", sa.Boolean, nullable=False, default=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("queued", sa.Float, nullable=False, index=True),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    # When it may be started; of a run that a worker has, when its lease ends.
    sa.Column("due", sa.Float, nullable=False, server_default="0"),
    # The claim under which a worker has it; empty where none has.
    sa.Column("owner", sa.String(240), nullable=False, server_default=""),
    # How many workers died over it.
    sa.Column("lost", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_gen_env_run_key_state", "key", "state"),
)
report = sa.Table(
    "gen_env_report",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kept", sa.Float, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("json", sa.LargeBinary, nullable=False),
    sa.Column("html", sa.LargeBinary, nullable=False),
)
grant = sa.Table(
    "gen_env_grant",
    metadata,
    sa.Column("key", sa.String(500), primary_key=True),
    sa.Column("sha", sa.String(64), primary_key=True),
    sa.Column("verb", sa.String(20), primary_key=True),
    sa.Column("rule", sa.String(200), primary_key=True),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("given", sa.Float, nullable=False),
)
executor = sa.Table(
    "gen_env_executor",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("seen", sa.Float, nullable=False),
)
tally = sa.Table(
    "gen_env_tally",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("labels", sa.String(400), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
)
turn = sa.Table(
    "gen_env_turn",
    metadata,
    sa.Column("name", sa.String(500), primary_key=True),
    sa.Column("taken", sa.Float, nullable=False),
    sa.Column("seen_sha", sa.String(64), nullable=False),
)
timer = sa.Table(
    "gen_env_timer",
    metadata,
    sa.Column("key", sa.String(500), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("connection", sa.String(64), nullable=False),
    sa.Column("repository", sa.String(400), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("due", sa.Float, nullable=False, index=True),
)
branch = sa.Table(
    "gen_env_branch",
    metadata,
    sa.Column("name", sa.String(500), primary_key=True),
    sa.Column("sha", sa.String(64), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("read", sa.Float, nullable=False),
)
notice = sa.Table(
    "gen_env_notice",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("route", sa.String(64), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    # NULL once it is sent or given up.
    sa.Column("due", sa.Float, index=True),
    sa.Column("made", sa.Float, nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False),
)
key = sa.Table(
    "gen_env_key",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
token = sa.Table(
    "gen_env_token",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("revoked", sa.Float),
)
version = sa.Table("gen_env_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

# Statements that lead from the version before to this one; tables that are missing are made before.
_STEPS: dict[int, tuple[str, ...]] = {
    2: (),  # gen_env_timer
    3: ("ALTER TABLE gen_env_run ADD COLUMN origin JSON NOT NULL DEFAULT '{}'",),
    4: (),  # gen_env_branch
    5: (),  # gen_env_notice
    6: (
        "ALTER TABLE gen_env_run ADD COLUMN due FLOAT NOT NULL DEFAULT 0",
        "ALTER TABLE gen_env_run ADD COLUMN owner VARCHAR(240) NOT NULL DEFAULT ''",
        "ALTER TABLE gen_env_run ADD COLUMN lost INTEGER NOT NULL DEFAULT 0",
    ),
    7: (),  # gen_env_token
}
_OWN_QUEUE = 6


def engine(url: str, *, pool: int = 10) -> sa.Engine:
    """The engine for a sqlite:/// or postgresql:// URL; make one per process, after any fork."""
    made = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        # A file does not go away; a server may: its connections are looked at before they are used.
        pool_pre_ping=not url.startswith("sqlite"),
        pool_size=pool,
        max_overflow=pool,
        # A statement's parameters may be what somebody wrote; they have no place in an error.
        hide_parameters=True,
    )
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _prepare)
    return made


@contextlib.contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """An engine whose connections are closed afterwards."""
    made = engine(url)
    try:
        yield made
    finally:
        made.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    # A transaction that reads first and writes later could fail in the middle; so none does.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def prepare_file(url: str) -> None:
    """Make a SQLite file write-ahead; the mode stays in the file. Before anyone else opens it."""
    if not url.startswith("sqlite:///"):
        return
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
    try:
        # Asked first: reading waits for others, and setting the mode does not.
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        if mode != "wal":
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    finally:
        connection.close()
    if mode != "wal":
        raise UserError(
            "the database file does not support write-ahead logging",
            hint="put the data folder on a local disk, not on a network file system",
        )


def migrate(made: sa.Engine) -> None:
    """Create what is missing and lead older tables up; raises UserError for newer ones."""
    with made.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two processes may start at once; the number only has to be ours.
            connection.execute(sa.text("select pg_advisory_xact_lock(7261904455)"))
        else:
            # The driver begins before a change of rows, not before one of tables: without this a
            # process that is killed would leave half of them, and two would make them twice.
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        metadata.create_all(connection)
        found = connection.execute(sa.select(version.c.version)).scalar()
        if found is None:
            connection.execute(version.insert().values(version=VERSION))
            return
        if found > VERSION:
            raise UserError(
                f"the database has version {found}, and this program supports {VERSION}",
                hint="run the newer program, or restore the database from before the upgrade",
            )
        for step in range(found + 1, VERSION + 1):
            for statement in _STEPS[step]:
                connection.execute(sa.text(statement))
        if found < _OWN_QUEUE:
            _end_former_queue(connection)
        connection.execute(version.update().values(version=VERSION))


def _end_former_queue(connection: sa.Connection) -> None:
    """Until version 5 DBOS kept a second record of each run in tables of its own: what is
    unfinished there is so in ours, and a worker of that version must not start it as well.
    """
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    table = sa.table("workflow_status", sa.column("status"), sa.column("name"), schema=schema)
    if sa.inspect(connection).has_table(table.name, schema=schema):
        ours = table.c.name.in_(("gen_env_job", "gen_env_wait"))
        unfinished = table.c.status.in_(("ENQUEUED", "DELAYED", "PENDING"))
        connection.execute(table.update().where(ours, unfinished).values(status="CANCELLED"))


def upsert(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT of this dialect that knows ON CONFLICT."""
    return upsert_of(connection.dialect.name, table)


def upsert_of(dialect: str, table: sa.Table) -> Any:
    """As `upsert`, for a dialect by its name."""
    return postgresql_insert(table) if dialect == "postgresql" else sqlite_insert(table)


def listed(connection: sa.Connection, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> Rows:
    """What a query finds, as plain data."""
    return [dict(row) for row in connection.execute(query).mappings()]


def shared_key(made: sa.Engine, name: str) -> bytes:
    """A random key that all processes share, made by the first who asks."""
    with made.begin() as connection:
        statement = upsert(connection, key).values(name=name, value=secrets.token_bytes(32))
        connection.execute(statement.on_conflict_do_nothing())
        found = connection.execute(sa.select(key.c.value).where(key.c.name == name)).scalar_one()
    return bytes(found)


def now(connection: sa.Connection, at: float | None = None) -> float:
    """The database's clock where it has one that all hosts share, else `at`, or this host's."""
    if connection.dialect.name != "postgresql":
        return time.time() if at is None else at
    clock = sa.text("select extract(epoch from clock_timestamp())")
    return float(connection.execute(clock).scalar_one())
