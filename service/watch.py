"""What is told of the work on the outside: requests to forges, renders, fetches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from generator.forge.transport import Call
from generator.render_cache import Render
from service.meter import METER

# Both spellings that the forges use, and their names here.
_LIMITS = (
    ("remaining", "forge_rate_limit_remaining"),
    ("limit", "forge_rate_limit_limit"),
    ("reset", "forge_rate_limit_reset_timestamp_seconds"),
)


def of_forge(connection: str) -> Callable[[Call], None]:
    """Counts the requests of one connection, and notes what the forge still allows."""

    def told(call: Call) -> None:
        METER.add(
            "forge_requests", connection=connection, method=call.method, status=str(call.status)
        )
        METER.took("forge_request_duration_seconds", call.seconds, connection=connection)
        for word, name in _LIMITS:
            said = call.headers.get(f"x-ratelimit-{word}") or call.headers.get(f"ratelimit-{word}")
            if said and said.isascii() and said.isdecimal():
                METER.gauge(name, float(said), connection=connection)

    return told


def of_renders() -> Callable[[Render], None]:
    """Counts renders; call it where the work begins, in the thread that does it."""

    def told(render: Render) -> None:
        METER.add("renders", result=render.outcome)
        if render.outcome == "rendered":
            METER.took("render_duration_seconds", render.seconds)

    return told


@contextlib.contextmanager
def of_fetch() -> Iterator[None]:
    """Counts and times one fetch; an exception makes it a failed one."""
    started, result = time.perf_counter(), "failed"
    try:
        yield
        result = "fetched"
    finally:
        METER.add("git_fetches", result=result)
        seconds = time.perf_counter() - started
        METER.took("git_fetch_duration_seconds", seconds)
