"""Superseded runs are taken out of the queue a moment later, many at once, beside the requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger("gen_env.jobs")


class Leftovers:
    """Collects ids and gives them to `cancel` after `delay` seconds, in a thread of its own.

    Nothing depends on it: a superseded run that is started all the same ends at once.
    """

    def __init__(self, cancel: Callable[[Sequence[str]], None], delay: float = 0.5) -> None:
        self._cancel = cancel
        self._delay = delay
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, identities: Sequence[str]) -> None:
        """Have these cancelled soon."""
        with self._lock:
            self._waiting.extend(identities)
            if self._waiting and self._timer is None:
                self._timer = threading.Timer(self._delay, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Cancel what has gathered, now."""
        with self._lock:
            found, self._waiting, self._timer = self._waiting, [], None
        try:
            for start in range(0, len(found), 200):
                self._cancel(found[start : start + 200])
        except Exception as error:  # then they end when they are started
            log.warning("superseded runs stay queued: %s", type(error).__name__)
