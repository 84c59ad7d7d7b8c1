"""What watches the service: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from service.store import database, overview, runs
from service.store.batch import lock
from service.store.tables import run
from service.telemetry.meter import BOUNDS, METER, labels_of
from service.web.context import Context, context

blueprint = Blueprint("operations", __name__)
log = logging.getLogger("gen_env.operations")
_LOCK_SECONDS = 1.0
_LEAST_BYTES = 16 * 1024 * 1024
# Counters live in the database: several processes count, and all of them are restarted at times.
_COUNTERS = {
    "deliveries": "Deliveries with a valid signature, by outcome.",
    "runs": "Ended runs by kind and state.",
    "takeovers": "Runs taken over from a lost worker.",
    "polled": "Checks queued by the poll for changes without a delivery.",
    "renders": "Helm renders that checks asked for: rendered, cached or failed.",
    "forge_requests": "Requests to a forge's API by status (0: no answer).",
    "git_fetches": "Fetches from a forge, and whether they succeeded.",
    "cleaned_bytes": "Bytes freed by housekeeping, by kind.",
}
_HISTOGRAMS = {
    "run_duration_seconds": "Duration of ended runs from their start.",
    "render_duration_seconds": "Duration of Helm renders that were not cached.",
    "forge_request_duration_seconds": "Response time of the forge's API.",
    "git_fetch_duration_seconds": "Duration of fetches from a forge.",
}
_GAUGES = {
    "forge_rate_limit_remaining": "Requests that the forge still allows, as last reported.",
    "forge_rate_limit_limit": "Requests that the forge allows per rate limit window.",
    "forge_rate_limit_reset_timestamp_seconds": "End of the forge's rate limit window.",
    "drift_objects": "Objects that differ from git, as last compared.",
    "drift_compared_timestamp_seconds": "When all of an environment was last compared with git.",
    "kept_bytes": "Disk space used by mirrors, caches and reports, as last measured.",
}
Samples = list[tuple[dict[str, str], float]]


@blueprint.get("/healthz")
def health() -> dict[str, Any]:
    """The process answers; nothing else is asked."""
    return {"status": "alive"}


@blueprint.get("/readyz")
def ready() -> tuple[dict[str, Any], int]:
    """200 when deliveries can be taken and are worked on; else 503 with what is missing."""
    failing = {name: word for name, ask in _CHECKS.items() if (word := ask(context()))}
    status = "failing" if failing else "ready"
    return {"status": status, "failing": failing}, 503 if failing else 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format."""
    here = context()
    with contextlib.suppress(sa.exc.SQLAlchemyError):  # told by what follows
        METER.flush(runs.writer(here.engine))
    registry = CollectorRegistry()
    registry.register(Numbers(here.engine, here.clock(), here.settings.limits.lease_seconds))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _database(here: Context) -> str:
    try:
        with here.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                lock(connection, _LOCK_SECONDS)  # given up with the connection
            connection.execute(sa.select(run.c.id).limit(1))
    except sa.exc.SQLAlchemyError as error:
        # Anybody may ask: names of roles and databases are for the log.
        log.warning("the database does not respond: %s", database.words_of(error))
        locked = "another process keeps the database locked"
        return locked if database.is_busy(error) else "the database does not respond"
    except TypeError:  # the driver gets bytes where no encoding says what they mean
        return database.encoding_fault(here.settings.database_url.text())
    return ""


def _workers(here: Context) -> str:
    try:
        with here.engine.connect() as connection:
            lease = here.settings.limits.lease_seconds
            alive = overview.living(connection, here.clock(), lease)
    except (sa.exc.SQLAlchemyError, TypeError):
        return ""  # told as the database's failure
    return "" if alive else "no worker has a recent heartbeat"


def _storage(here: Context) -> str:
    if not os.access(here.settings.data_dir, os.W_OK):
        return "cannot write to the data folder"
    full = shutil.disk_usage(here.settings.data_dir).free < _LEAST_BYTES
    return "the disk of the data folder is full" if full else ""


_CHECKS = {"database": _database, "workers": _workers, "storage": _storage}


@dataclasses.dataclass(frozen=True, slots=True)
class Numbers:
    """A collector for one answer: what the database says at this moment."""

    engine: sa.Engine
    at: float
    lease_seconds: float

    def collect(self) -> Iterator[Metric]:
        """All families, each with every sample there is."""
        with self.engine.connect() as connection:
            tallies = runs.tallies(connection)
            number, oldest = runs.depth(connection)
            dead = runs.dead(connection)
            workers = overview.living(connection, self.at, self.lease_seconds)
        age = max(0.0, self.at - oldest) if oldest else 0.0
        yield _family("gauge", "queue_depth", "Unfinished runs.", [({}, number)])
        yield _family(
            "gauge", "queue_age_seconds", "Age of the oldest unfinished run.", [({}, age)]
        )
        lost = "Runs that were given up and wait for a person."
        yield _family("gauge", "dead_letters", lost, [({}, dead)])
        yield _family("gauge", "workers", "Workers with a recent heartbeat.", [({}, workers)])
        found: dict[str, Samples] = {}
        for name, labels, value in tallies:
            found.setdefault(name, []).append((labels_of(labels), value))
        for kind, texts in (("counter", _COUNTERS), ("gauge", _GAUGES)):
            for name, text in texts.items():
                yield _family(kind, name, text, found.get(name, []))
        for name, text in _HISTOGRAMS.items():
            buckets, sums = found.get(f"{name}_bucket", []), found.get(f"{name}_sum", [])
            yield _histogram(name, text, buckets, sums)


def _family(kind: str, name: str, text: str, samples: Samples) -> Metric:
    family = Metric(f"gen_env_{name}", text, kind)
    for labels, value in samples:
        family.add_sample(f"{family.name}{'_total' * (kind == 'counter')}", labels, value)
    return family


def _histogram(name: str, text: str, buckets: Samples, sums: Samples) -> Metric:
    family = Metric(f"gen_env_{name}", text, "histogram")
    for labels, total in sums:
        counted = {
            found["le"]: value for found, value in buckets if labels.items() <= found.items()
        }
        running = 0.0
        for bound in (*map(str, BOUNDS), "+Inf"):
            running += counted.get(bound, 0.0)
            family.add_sample(f"{family.name}_bucket", {**labels, "le": bound}, running)
        family.add_sample(f"{family.name}_count", labels, running)
        family.add_sample(f"{family.name}_sum", labels, total)
    return family
