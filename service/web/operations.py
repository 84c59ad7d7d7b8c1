"""What watches the service: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families

from service import database, store
from service.tables import executor, now, run
from service.web.context import Context, context

blueprint = Blueprint("operations", __name__)
log = logging.getLogger("gen_env.operations")

# Counters live in the database: several processes count, and all of them are restarted at times.
_HELP = {
    "deliveries": "Deliveries with a right signature, by what became of them.",
    "runs": "Ended runs by kind and state.",
    "run_seconds": "Seconds that ended runs took from their start.",
    "run_ended": "Ended runs whose seconds are counted.",
    "takeovers": "Runs taken over from a worker that was gone.",
    "polled": "Checks queued by the poll because no delivery had told of a change.",
}


@blueprint.get("/healthz")
def health() -> dict[str, Any]:
    """The process answers; nothing else is asked."""
    return {"status": "alive"}


@blueprint.get("/readyz")
def ready() -> tuple[dict[str, Any], int]:
    """200 when deliveries can be taken and are worked on; else 503 with what is missing."""
    failing = {name: word for name, ask in _CHECKS.items() if (word := ask(context()))}
    return {
        "status": "failing" if failing else "ready",
        "failing": failing,
    }, 503 if failing else 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Numbers(context()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Numbers:
    """Reads the numbers from the database when they are asked for."""

    def __init__(self, here: Context) -> None:
        self._here = here

    def collect(self) -> Iterator[Metric]:
        with self._here.engine.connect() as connection:
            tallies = store.tallies(connection)
            number, oldest = store.depth(connection)
        yield GaugeMetricFamily("gen_env_queue_depth", "Unfinished runs.", value=number)
        age = max(0.0, self._here.clock() - oldest) if oldest else 0.0
        yield GaugeMetricFamily(
            "gen_env_queue_age_seconds", "How long the oldest unfinished run waits.", value=age
        )
        for name, text in _HELP.items():
            yield _family(name, text, tallies)


def _family(name: str, text: str, tallies: list[tuple[str, str, float]]) -> Metric:
    rows = [(_labels(labels), value) for found, labels, value in tallies if found == name]
    keys = sorted({key for labels, _ in rows for key in labels})
    family = CounterMetricFamily(f"gen_env_{name}", text, labels=keys)
    for labels, value in rows:
        family.add_metric([labels.get(key, "") for key in keys], value)
    return family


def _labels(text: str) -> dict[str, str]:
    sample = f"x{{{text}}} 0\n" if text else "x 0\n"
    return dict(next(iter(text_string_to_metric_families(sample))).samples[0].labels)


def _database(here: Context) -> str:
    try:
        with here.engine.connect() as connection:
            connection.execute(sa.select(run.c.id).limit(1))
    except sa.exc.SQLAlchemyError as error:
        # Anybody may ask: names of roles and databases are for the log.
        log.warning("the database does not answer: %s", database.words_of(error))
        return "the database does not answer"
    except TypeError:  # the driver gets bytes where no encoding says what they mean
        return database.encoding_fault(here.settings.database_url.text())
    return ""


def _workers(here: Context) -> str:
    try:
        with here.engine.connect() as connection:
            since = (now(connection) or here.clock()) - here.settings.limits.lease_seconds
            query = sa.select(executor.c.id).where(executor.c.seen > since).limit(1)
            alive = connection.execute(query).first()
    except (sa.exc.SQLAlchemyError, TypeError):
        return ""  # told as the database's failure
    return "" if alive else "no worker has given a sign of life"


def _storage(here: Context) -> str:
    writable = os.access(here.settings.data_dir, os.W_OK)
    return "" if writable else "the data folder cannot be written to"


_CHECKS: dict[str, Callable[[Context], str]] = {
    "database": _database,
    "workers": _workers,
    "storage": _storage,
}
