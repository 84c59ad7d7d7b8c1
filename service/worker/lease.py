"""A sign of life of every worker, and the takeover of what dead ones left.

DBOS without its proprietary part takes nothing over from another process: this does. A worker's
id is never used again, so a run that carries the id of a silent worker is nobody's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

from service.store import runs
from service.store.tables import executor, now, upsert

log = logging.getLogger("gen_env.lease")
_FORGET_AFTER = 3600.0


class Lease:
    """Beats until told to stop. `recover` takes dead ids and returns how many runs it freed;
    `owners` names the workers that runs in progress belong to.
    """

    def __init__(
        self,
        engine: sa.Engine,
        identity: str,
        owners: Callable[[], set[str]],
        recover: Callable[[list[str]], int],
        *,
        dead_after: float,
    ) -> None:
        self._engine = engine
        self._identity = identity
        self._owners = owners
        self._recover = recover
        self._dead_after = dead_after
        self._launched = threading.Event()
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Give the first sign of life, then go on: before the first run may be taken."""
        self.beat()
        self._thread.start()

    def launched(self) -> None:
        """From now on others' runs may be taken over."""
        self._launched.set()

    def stop(self, *, leave: bool) -> None:
        """End; with `leave` say so, and others need not wait until we count as dead."""
        self._halt.set()
        self._thread.join(timeout=5)
        if leave:
            leave_lease(self._engine, self._identity)

    def beat(self) -> None:
        """Say that we live."""
        with self._engine.begin() as connection:
            moment = now(connection) or time.time()
            statement = upsert(connection, executor).values(id=self._identity, seen=moment)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_={"seen": moment})
            )

    def reap(self) -> None:
        """Free the runs of workers that have been silent for too long."""
        with self._engine.begin() as connection:
            moment = now(connection) or time.time()
            seen = {row.id: row.seen for row in connection.execute(sa.select(executor))}
            old = executor.c.seen < moment - _FORGET_AFTER
            connection.execute(executor.delete().where(old))
        alive = {name for name, at in seen.items() if at > moment - self._dead_after}
        dead = sorted(self._owners() - alive - {self._identity})
        if not dead or not (freed := self._recover(dead)):
            return
        log.warning("took over %d runs of %d silent workers", freed, len(dead))
        with self._engine.begin() as connection:
            runs.count(connection, "takeovers", by=freed)

    def _run(self) -> None:
        while not self._halt.wait(self._dead_after / 5):
            try:
                self.beat()
                if self._launched.is_set():
                    self.reap()
            except Exception as error:  # the database may be away for a while; this must live on
                log.warning("cannot write the heartbeat: %s", type(error).__name__)


def leave_lease(engine: sa.Engine, identity: str) -> None:
    """Note that this worker is gone; whoever knows may say so."""
    with engine.begin() as connection:
        connection.execute(executor.delete().where(executor.c.id == identity))
