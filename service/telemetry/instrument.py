"""What is told of the work, to those who count and those who trace: runs, requests, renders."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from generator.forge.transport import Call
from service.telemetry import logs, tracing
from service.telemetry.meter import METER

if TYPE_CHECKING:
    from generator.pipeline.toolchain import Render

T = TypeVar("T")
Row = sa.Row[*tuple[Any, ...]]
# Both spellings that the forges use, and their names here.
_LIMITS = (
    ("remaining", "forge_rate_limit_remaining"),
    ("limit", "forge_rate_limit_limit"),
    ("reset", "forge_rate_limit_reset_timestamp_seconds"),
)


def of_run(row: Row, work: Callable[[Row], T]) -> T:
    """Does the work of a run: its log lines carry the run's ids, its span the delivery's trace."""
    ids = {"run": row.id, "kind": row.kind, "connection": row.connection,
           "repository": row.repository, "number": row.number}  # fmt: skip
    parent = row.origin.get(logs.PARENT, "")
    delivery = row.origin.get(logs.DELIVERY, "")
    waited = row.started - row.queued
    facts = {**ids, "delivery": delivery, "attempt": row.attempts, "waited_seconds": waited}
    with (
        logs.bound(delivery=delivery, **ids),
        tracing.span(f"run {row.kind}", facts, kind="consumer", parent=parent),
    ):
        return work(row)


def of_forge(connection: str) -> Callable[[Call], None]:
    """Counts the requests of one connection, and notes what the forge still allows."""

    def record(call: Call) -> None:
        METER.add(
            "forge_requests", connection=connection, method=call.method, status=str(call.status)
        )
        METER.took("forge_request_duration_seconds", call.seconds, connection=connection)
        for word, name in _LIMITS:
            said = call.headers.get(f"x-ratelimit-{word}") or call.headers.get(f"ratelimit-{word}")
            if said and said.isascii() and said.isdecimal():
                METER.gauge(name, float(said), connection=connection)
        facts = {"http.request.method": call.method, "url.path": call.path,
                 "http.response.status_code": call.status, "connection": connection}  # fmt: skip
        failed = not 0 < call.status < 400
        tracing.completed(f"forge {call.method}", facts, call.began, call.seconds, failed=failed)

    return record


def of_renders() -> Callable[[Render], None]:
    """Counts renders; call it where the work begins, in the thread that does it."""

    within = tracing.here()

    def record(render: Render) -> None:
        METER.add("renders", result=render.outcome)
        if render.outcome == "rendered":
            METER.took("render_duration_seconds", render.seconds)
        facts = {"release": render.release, "result": render.outcome}
        about = {"failed": render.outcome == "failed", "within": within}
        tracing.completed("render", facts, render.began, render.seconds, **about)

    return record


@contextlib.contextmanager
def of_fetch() -> Iterator[None]:
    """Counts and times one fetch; an exception makes it a failed one."""
    started, result = time.perf_counter(), "failed"
    try:
        with tracing.span("git fetch", kind="client"):
            yield
        result = "fetched"
    finally:
        METER.add("git_fetches", result=result)
        METER.took("git_fetch_duration_seconds", time.perf_counter() - started)
