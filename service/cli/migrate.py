"""What must stand before the first process opens the database."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from generator.core.errors import UserError
from service.settings.schema import Settings
from service.store import database, tables

_TIMEOUT = 30.0
_SQLITE = "sqlite:///"


def prepare(settings: Settings) -> None:
    """Make the data folder and bring the database up to date; running it again changes nothing.

    Any number of processes may do so at once. Raises UserError when the database is of a newer
    version, is not UTF8, or cannot be made; it says why without quoting the address.
    """
    import sqlalchemy as sa

    url = settings.database_url.text()
    make_folder(settings.data_dir)
    database.create(url)
    if fault := database.encoding_fault(url):
        raise UserError(fault, hint=database.UTF8_HINT)
    try:
        with _alone(url):
            # The file may be in use by somebody who knows nothing of our lock (a back-up, say).
            database.patiently(lambda: _bring_up(url), _TIMEOUT, every=0.05)
        return
    except (sa.exc.DBAPIError, sa.exc.ArgumentError, sqlite3.Error) as error:
        reason = database.words_of(error)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    # Raised outside the handler: a driver's message may hold the URL, and with it the password.
    raise UserError(
        f"the database cannot be used: {reason}",
        hint="check that the server runs and that database: names it and a role that may create",
    )


def make_folder(folder: Path) -> None:
    """Make the data folder; raises UserError where it cannot be made or written to."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create the data folder {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"cannot write to {folder}", hint="give it to the service's user")


@contextlib.contextmanager
def _alone(url: str) -> Iterator[None]:
    """One process of this host at a time, where the database is a file.

    SQLite waits for nobody while it makes a file write-ahead: of two that start together, one
    would fail.
    """
    if not url.startswith(_SQLITE):
        yield
        return
    with Path(f"{url.removeprefix(_SQLITE)}.lock").open("a") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield  # closing the file gives the lock up


def _bring_up(url: str) -> None:
    tables.prepare_file(url)
    with tables.opened(url) as engine:
        tables.migrate(engine)
