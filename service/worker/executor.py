"""The worker's side of the queue: DBOS runs our one workflow, step by step."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dbos import DBOS, DBOSConfig

from service.model.job import State
from service.queue.jobs import (
    APPLICATION,
    APPLICATION_VERSION,
    WAITING_WORKFLOW,
    WORKFLOW,
    JsonSerializer,
)
from service.settings.resolve import Settings
from service.worker.lease import Lease
from service.worker.runner import JobFailed, Runner

_POLL_SECONDS = 0.25
# GitHub's limits are reset every hour; who asks for more has its clock wrong.
_LONGEST_PAUSE = 3_600.0
_FEWEST_THREADS = 64
_SPARE_THREADS = 16
_QUIET_SECONDS = 2.0


class Executor:
    """Takes runs from the queues until it is stopped. One per process: DBOS is one per process."""

    def __init__(self, settings: Settings, runner: Runner, identity: str) -> None:
        self._settings = settings
        self._runner = runner
        self._identity = identity
        # Queues are per repository and each may fill the worker; this bounds all of them together.
        self._room = _Room(settings.limits.concurrency)
        self._waiting_room = _Room(settings.limits.verifications)
        self._lease: Lease | None = None

    def start(
        self, lease: Callable[..., Lease], queues: Sequence[str], waiting: Sequence[str] = ()
    ) -> None:
        """Begin to take runs from these queues; those in `waiting` follow a cluster for minutes.

        `lease` gets `owners` and `recover`.
        """
        self._register()
        self._lease = lease(owners=_owners, recover=_recover)
        # The first sign of life comes before the first run: else a peer would take it for dead.
        self._lease.start()
        limits, number = self._settings.limits, len(queues) + len(waiting)
        # One for every run that may be begun and wait for a place: else they would use up the
        # threads, and those with a place to go to would get none.
        begun = len(queues) * limits.concurrency + len(waiting) * limits.verifications
        DBOS(config=self._config(max(_FEWEST_THREADS, begun + _SPARE_THREADS)))
        DBOS.launch()
        for names, concurrency in ((queues, limits.concurrency), (waiting, limits.verifications)):
            for name in names:
                DBOS.register_queue(
                    name,
                    worker_concurrency=concurrency,
                    partition_concurrency=1,
                    polling_interval_sec=max(_POLL_SECONDS, number * 0.02),
                    on_conflict="always_update",
                )
        self._lease.launched()

    def stop(self) -> bool:
        """Take nothing new, wait for what runs, and leave; what is left is taken over by others.

        Whoever follows a cluster is not waited for: that can take as long as it likes, and goes on
        elsewhere. Returns whether something is left, whose threads keep the process from ending.
        """
        patience = {"workflow_completion_timeout_sec": self._settings.limits.drain_seconds}
        # In a thread: DBOS waits for all of them alike.
        ending = threading.Thread(target=DBOS.destroy, kwargs=patience, daemon=True)
        ending.start()
        busy = time.monotonic()
        while ending.is_alive() and time.monotonic() - busy < _QUIET_SECONDS:
            busy = time.monotonic() if self._room.busy else busy
            ending.join(0.1)
        if self._lease:
            self._lease.stop(leave=True)
        return ending.is_alive() or self._room.busy or self._waiting_room.busy

    def _config(self, threads: int) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": self._settings.database_url.text(),
            "application_version": APPLICATION_VERSION,
            "executor_id": self._identity,
            "serializer": JsonSerializer(),
            "log_level": "ERROR",
            "max_executor_threads": threads,
            "run_migrations": False,
        }

    def _register(self) -> None:
        limits = self._settings.limits

        @DBOS.step(name="perform")
        def perform(identity: str, waits: bool = False) -> dict[str, Any]:
            # A failure is a value: DBOS would keep an exception, and log it with its traceback.
            try:
                with (self._waiting_room if waits else self._room).place():
                    return {"state": self._runner.perform(identity)}
            except JobFailed as error:
                told = {"message": str(error), "transient": error.transient}
                return {**told, "after": error.after}

        @DBOS.step(name="give_up")
        def give_up(identity: str, message: str, transient: bool) -> None:
            self._runner.give_up(identity, message, transient=transient)

        def attempt_all(identity: str, *, waits: bool) -> str:
            result: dict[str, Any] = {}
            for attempt in range(limits.attempts):
                if attempt:
                    # Durable: a restart goes on with what is left of the wait.
                    DBOS.sleep(pause(attempt, limits.retry_seconds, result.get("after", 0.0)))
                result = perform(identity, waits)
                if not result.get("transient"):
                    break
            if "state" in result:
                return str(result["state"])
            give_up(identity, result["message"], result["transient"])
            return State.DEAD.value

        # A run that ends its worker so many times is not started again.
        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=limits.starts)
        def work(identity: str) -> str:
            return attempt_all(identity, waits=False)

        @DBOS.workflow(name=WAITING_WORKFLOW, max_recovery_attempts=limits.starts)
        def wait(identity: str) -> str:
            return attempt_all(identity, waits=True)


def pause(attempt: int, first: float, asked: float) -> float:
    """The seconds before another attempt: doubling, and no shorter than the forge asks for."""
    return float(max(first * 2 ** (attempt - 1), min(asked, _LONGEST_PAUSE)))


class _Room:
    """So many at a time; knows whether anybody is in."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._inside: set[int] = set()

    @property
    def busy(self) -> bool:
        """Whether somebody is in."""
        return bool(self._inside)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and have it for the block."""
        with self._places:
            me = threading.get_ident()
            self._inside.add(me)
            try:
                yield
            finally:
                self._inside.discard(me)


def _owners() -> set[str]:
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {found.executor_id for found in pending if found.executor_id}


def _recover(dead: list[str]) -> int:
    # The one inner call: guarded by state and owner, and it keeps the count of starts, which the
    # public way (resume) does not. A test kills a worker and sees its run taken over.
    return len(DBOS._recover_pending_workflows(dead))
