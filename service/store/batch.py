"""Transactions that threads ask for at the same moment, carried out as one.

SQLite has one writer, and each commit waits for the disk: many deliveries in one commit cost little
more than one. Whoever comes while a commit is under way waits, and all who wait go together.
"""

from __future__ import annotations

import contextvars
import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from service.store import database

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]
_PATIENCE = 4.0
"""Seconds for a lock of the file: a forge waits 5 to 10 for the answer to a delivery."""


@dataclasses.dataclass(eq=False)
class _Asked:
    """One piece of work, in the context of the thread that asks; done when it has an outcome."""

    work: Work
    context: contextvars.Context
    until: float
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class Batches:
    """Runs work in transactions of this engine; what is committed is on disk when `run` returns."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._single = engine.dialect.name == "sqlite"
        self._waiting: list[_Asked] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Do the work in a transaction, perhaps together with others; raises what it raises.

        The work may be called twice, in transactions of which one is rolled back.
        """
        if not self._single:
            with self._engine.begin() as connection:
                return work(connection)
        mine = _Asked(work, contextvars.copy_context(), time.monotonic() + _PATIENCE)
        with self._gate:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                self._carry_out()
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def _carry_out(self) -> None:
        with self._gate:
            found, self._waiting = self._waiting, []
        try:
            self._together(found)
        except Exception as error:
            # One of them may spoil it for all: each on its own, and each gets its own error.
            for asked in found:
                try:
                    if database.is_busy(error):
                        raise
                    self._together([asked])
                except Exception as own:
                    asked.error = own
        finally:
            for asked in found:
                asked.done = True

    def _together(self, found: list[_Asked]) -> None:
        with self._engine.begin() as connection:
            lock(connection, min(asked.until for asked in found) - time.monotonic())
            results = [asked.context.run(asked.work, connection) for asked in found]
        for asked, result in zip(found, results, strict=True):
            asked.result = result


def lock(connection: sa.Connection, patience: float) -> None:
    """Become SQLite's writer, within so many seconds; raises OperationalError.

    SQLite itself would sleep longer the longer it has waited already.
    """
    connection.exec_driver_sql("PRAGMA busy_timeout=1")
    begin = functools.partial(connection.exec_driver_sql, "BEGIN IMMEDIATE")
    try:
        database.patiently(begin, patience, every=0.001)
    finally:
        connection.exec_driver_sql("PRAGMA busy_timeout=30000")
