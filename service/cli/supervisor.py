"""`serve`: a web and a worker process, each started again when it ends, both ended together."""

from __future__ import annotations

import ctypes
import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from service.queue import claims
from service.settings.schema import Settings
from service.store import tables
from service.worker.process import IDENTITY, new_identity

log = logging.getLogger("gen_env.serve")
# Loaded before any fork: between fork and exec there is little that is safe to do.
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 10.0
_SETTLED_SECONDS = 30.0


@dataclasses.dataclass
class _Child:
    role: str
    process: subprocess.Popen[bytes] | None = None
    identity: str = ""
    started: float = 0.0
    wait: float = _FIRST_WAIT
    due: float = 0.0


@dataclasses.dataclass(frozen=True)
class Supervisor:
    """Keeps the two processes alive."""

    settings: Settings
    config: Path

    def run(self) -> int:
        """Until SIGTERM or SIGINT; then the web ends first, so that nothing new comes in."""
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        children = [_Child("web"), _Child("worker")]
        while not stop.wait(0.1):
            for child in children:
                self._tend(child)
        for child in children:
            self._end(child)
        return 0

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None and now >= child.due:
            self._start(child)
        if child.process is None or (status := child.process.poll()) is None:
            return
        log.error("the %s process ended with %d; restarting it", child.role, status)
        child.process = None
        self._bury(child)
        settled = now - child.started > _SETTLED_SECONDS
        child.wait = _FIRST_WAIT if settled else min(child.wait * 2, _LONGEST_WAIT)
        child.due = now + child.wait

    def _start(self, child: _Child) -> None:
        child.identity = new_identity()
        child.started = time.monotonic()
        # Its own session: a Ctrl-C in the terminal reaches us alone, and we end it in order.
        child.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli.main", child.role, "--config", str(self.config)],
            env={**os.environ, IDENTITY: child.identity},
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def _bury(self, child: _Child) -> None:
        """Nobody knows better than we that it is gone: its runs need not wait for the lease."""
        if child.role != "worker":
            return
        with tables.opened(self.settings.database_url.text()) as engine:
            try:
                claims.expire(engine, child.identity)
            except Exception as error:  # then the lease runs out by itself
                log.warning("cannot end the lease: %s", type(error).__name__)

    def _end(self, child: _Child) -> None:
        if child.process is None:
            return
        child.process.terminate()
        try:
            child.process.wait(self.settings.limits.drain_seconds + 30)
        except subprocess.TimeoutExpired:
            log.error("the %s process does not end; killed", child.role)
            child.process.kill()
            child.process.wait()


def _end_with_parent() -> None:
    """A supervisor that is killed takes its children along: an orphan would keep the port."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
