"""The worker's side of the queue: DBOS runs our one workflow, step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from dbos import DBOS, DBOSConfig

from service.job import State
from service.jobs import APPLICATION, APPLICATION_VERSION, WORKFLOW, JsonSerializer
from service.lease import Lease
from service.runner import JobFailed, Runner
from service.settings import Settings

_POLL_SECONDS = 0.25


class Executor:
    """Takes runs from the queues until it is stopped. One per process: DBOS is one per process."""

    def __init__(self, settings: Settings, runner: Runner, identity: str) -> None:
        self._settings = settings
        self._runner = runner
        self._identity = identity
        # Queues are per repository and each may fill the worker; this bounds all of them together.
        self._room = threading.BoundedSemaphore(settings.limits.concurrency)
        self._lease: Lease | None = None

    def start(self, lease: Callable[..., Lease], queues: Sequence[str]) -> None:
        """Begin to take runs from these queues. `lease` gets `owners` and `recover`."""
        self._register()
        self._lease = lease(owners=_owners, recover=_recover)
        # The first sign of life comes before the first run: else a peer would take it for dead.
        self._lease.start()
        DBOS(config=self._config())
        DBOS.launch()
        concurrency = self._settings.limits.concurrency
        for name in queues:
            DBOS.register_queue(
                name,
                worker_concurrency=concurrency,
                partition_concurrency=1,
                polling_interval_sec=max(_POLL_SECONDS, len(queues) * 0.02),
                on_conflict="always_update",
            )
        self._lease.launched()

    def stop(self) -> None:
        """Take nothing new, wait for what runs, and leave; what is left is taken over by others."""
        DBOS.destroy(workflow_completion_timeout_sec=self._settings.limits.drain_seconds)
        if self._lease:
            self._lease.stop(leave=True)

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": self._settings.database_url.text(),
            "application_version": APPLICATION_VERSION,
            "executor_id": self._identity,
            "serializer": JsonSerializer(),
            "log_level": "ERROR",
            "max_executor_threads": 64,
            "run_migrations": False,
        }

    def _register(self) -> None:
        limits = self._settings.limits

        @DBOS.step(name="perform")
        def perform(identity: str) -> dict[str, Any]:
            # A failure is a value: DBOS would keep an exception, and log it with its traceback.
            try:
                with self._room:
                    return {"state": self._runner.perform(identity)}
            except JobFailed as error:
                return {"message": str(error), "transient": error.transient}

        @DBOS.step(name="give_up")
        def give_up(identity: str, message: str, transient: bool) -> None:
            self._runner.give_up(identity, message, transient=transient)

        # A run that ends its worker so many times is not started again.
        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=limits.starts)
        def work(identity: str) -> str:
            result: dict[str, Any] = {}
            for attempt in range(limits.attempts):
                if attempt:
                    # Durable: a restart goes on with what is left of the wait.
                    DBOS.sleep(limits.retry_seconds * 2 ** (attempt - 1))
                result = perform(identity)
                if not result.get("transient"):
                    break
            if "state" in result:
                return str(result["state"])
            give_up(identity, result["message"], result["transient"])
            return State.DEAD.value


def _owners() -> set[str]:
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {found.executor_id for found in pending if found.executor_id}


def _recover(dead: list[str]) -> int:
    # The one inner call: guarded by state and owner, and it keeps the count of starts, which the
    # public way (resume) does not. A test kills a worker and sees its run taken over.
    return len(DBOS._recover_pending_workflows(dead))
