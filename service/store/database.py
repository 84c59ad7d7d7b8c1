"""What a database says when it cannot be used, told without its address; and what it must be."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
UTF8_HINT = "create a database with: createdb -E UTF8 -T template0 NAME"
# What libpq says by itself may quote the address; of that only these words are passed on.
_CLIENT_WORDS = (
    "connection refused",
    "could not translate host name",
    "no route to host",
    "network is unreachable",
    "timeout expired",
    "no password supplied",
    "server closed the connection unexpectedly",
    "certificate verify failed",
    "no such file or directory",
    "permission denied",
)
_BUSY = ("database is locked", "database table is locked", "database schema is locked")


def words_of(error: BaseException) -> str:
    """Why the database refuses, in its own words, which hold neither address nor password."""
    # SQLAlchemy keeps the driver's error; it may itself be that.
    cause: Any = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())
    if isinstance(cause, sqlite3.Error):
        return text
    # A server's message: it knows names of roles and databases, and never a password.
    said = getattr(getattr(cause, "diag", None), "message_primary", None)
    if said or (said := text.partition("FATAL: ")[2].strip()):
        return str(said)
    known = (words for words in _CLIENT_WORDS if words in text.lower())
    return next(known, type(cause).__name__)


def is_busy(error: BaseException) -> bool:
    """Whether another process was only faster: trying again helps."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, sqlite3.OperationalError) and str(cause).startswith(_BUSY)


def patiently(work: Callable[[], T], seconds: float, every: float) -> T:
    """What the work gives, which is tried again for so long while another process is faster."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except Exception as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(every)


def create(url: str) -> None:
    """Create a PostgreSQL database that is missing; why it cannot be used is told by its users."""
    if not url.startswith("postgresql://"):
        return
    import psycopg
    from psycopg import conninfo, sql

    with contextlib.suppress(psycopg.Error):
        psycopg.connect(url, connect_timeout=10).close()
        return
    with contextlib.suppress(psycopg.Error):
        name = sql.Identifier(str(conninfo.conninfo_to_dict(url).get("dbname")))
        with psycopg.connect(url, dbname="postgres", connect_timeout=10, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(name))


def encoding_fault(url: str) -> str:
    """What is wrong with a PostgreSQL database's encoding; nothing where it is fine or unknown.

    In SQL_ASCII the server returns bytes without a meaning, and in others it refuses characters.
    """
    if not url.startswith("postgresql://"):
        return ""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            found = connection.info.parameter_status("server_encoding") or ""
    except psycopg.Error:
        return ""  # told by whoever needs the connection
    if found == "UTF8":
        return ""
    return f"the database's encoding is {found}; it must be UTF8"
