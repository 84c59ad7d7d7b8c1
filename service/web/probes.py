"""What watches the service: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from service.store import database, runs
from service.store.batch import lock
from service.store.tables import executor, now, run
from service.telemetry.meter import METER
from service.web.context import Context, context
from service.web.metrics import Numbers

blueprint = Blueprint("operations", __name__)
log = logging.getLogger("gen_env.operations")
_LOCK_SECONDS = 1.0
_LEAST_BYTES = 16 * 1024 * 1024


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
            since = (now(connection) or here.clock()) - here.settings.limits.lease_seconds
            query = sa.select(executor.c.id).where(executor.c.seen > since).limit(1)
            alive = connection.execute(query).first()
    except (sa.exc.SQLAlchemyError, TypeError):
        return ""  # told as the database's failure
    return "" if alive else "no worker has a recent heartbeat"


def _storage(here: Context) -> str:
    if not os.access(here.settings.data_dir, os.W_OK):
        return "cannot write to the data folder"
    full = shutil.disk_usage(here.settings.data_dir).free < _LEAST_BYTES
    return "the disk of the data folder is full" if full else ""


_CHECKS = {"database": _database, "workers": _workers, "storage": _storage}
