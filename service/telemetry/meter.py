"""Numbers that this process gathers, written to the database now and then for all to see.

They are kept in memory, so that counting costs no transaction; a process that is killed loses the
last few seconds of them. What must be exact is counted with the row that it is about.
"""

from __future__ import annotations

import bisect
import logging
import threading
from collections.abc import Callable, Mapping

from prometheus_client.parser import text_string_to_metric_families

log = logging.getLogger("gen_env.meter")
_SECONDS = 5.0

Key = tuple[str, str]
"""A counter's name and its labels, as `text_of` writes them."""

Writer = Callable[[Mapping[Key, float], Mapping[Key, float]], None]
"""Adds the first numbers to the counters and sets the gauges to the second, both or neither."""


class Meter:
    """Counters and gauges since the last flush; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Key, float] = {}
        self._gauges: dict[Key, float] = {}

    def add(self, name: str, by: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        self._add({(name, text_of(labels)): by})

    def took(self, name: str, seconds: float, **labels: str) -> None:
        """Add to the histogram of a duration."""
        self._add(histogram(name, seconds, labels))

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Say what a value is now; the last word of any process counts."""
        with self._lock:
            self._gauges[name, text_of(labels)] = value

    def flush(self, write: Writer) -> None:
        """Write what has gathered; what cannot be written is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
            gauges, self._gauges = self._gauges, {}
        if not counts and not gauges:
            return
        try:
            write(counts, gauges)
        except Exception:
            self._add(counts)
            with self._lock:
                self._gauges = gauges | self._gauges
            raise

    def _add(self, found: Mapping[Key, float]) -> None:
        with self._lock:
            for key, value in found.items():
                self._counts[key] = self._counts.get(key, 0.0) + value


METER = Meter()
"""That of this process: like a log, it is there for whoever has something to tell."""


class Flusher:
    """Writes the meter every few seconds, in a thread of its own."""

    def __init__(self, write: Writer, meter: Meter = METER, every: float = _SECONDS) -> None:
        self._write = write
        self._meter = meter
        self._every = every
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="meter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, with a last word."""
        self._halt.set()
        self._thread.join(timeout=5)

    def _write_all(self) -> None:
        halted = False
        while not halted:
            halted = self._halt.wait(self._every)
            try:
                self._meter.flush(self._write)
            except Exception as error:  # the database may be away for a while; numbers can wait
                log.warning("cannot write metrics: %s", type(error).__name__)


BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0)
"""Upper bounds, in seconds, of every histogram's buckets but the last."""


def histogram(name: str, seconds: float, labels: Mapping[str, str]) -> dict[Key, float]:
    """What one observation adds to the counters that make up a histogram."""
    place = bisect.bisect_left(BOUNDS, seconds)
    bound = str(BOUNDS[place]) if place < len(BOUNDS) else "+Inf"
    return {
        (f"{name}_bucket", text_of({**labels, "le": bound})): 1.0,
        (f"{name}_sum", text_of(labels)): max(0.0, seconds),
    }


def text_of(labels: Mapping[str, str]) -> str:
    """Labels as Prometheus writes them, in the order of their names."""
    marks = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
    return ",".join(f'{name}="{value.translate(marks)}"' for name, value in sorted(labels.items()))


def labels_of(text: str) -> dict[str, str]:
    """The labels that `text_of` wrote."""
    sample = f"x{{{text}}} 0\n" if text else "x 0\n"
    return dict(next(iter(text_string_to_metric_families(sample))).samples[0].labels)
