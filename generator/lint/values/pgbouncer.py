"""Checks of PgBouncer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput, as_number
from generator.lint.rule import ERROR, WARNING, Finding, check
from generator.lint.values.database import by_secret

_CONNECTION = "data.metadataConnection"
_GRACE = 30  # seconds; the chart has no key for it


@check(
    "pgbouncer/secrets",
    ERROR,
    "PgBouncer with generated credentials",
    why="With data.metadataSecretName the chart cannot know the credentials, and renders a "
    "pgbouncer.ini for postgres:postgres on the bundled PostgreSQL.",
)
def pgbouncer_secrets(values: ValuesInput) -> Iterator[Finding]:
    """PgBouncer on, metadata by Secret, but its own configuration not."""
    if not values.on("pgbouncer.enabled") or not by_secret(values):
        return
    needed = ("pgbouncer.configSecretName", "pgbouncer.metricsExporterSidecar.statsSecretName")
    for key in needed:
        if not values.text(key):
            yield Finding(
                key if values.given(key) else "pgbouncer.enabled",
                "PgBouncer connects to the wrong database with the chart's default password: "
                f"{key} is not set",
                f"set {{key:{key}}} to your own Secret",
                requires=key,
            )


@check(
    "pgbouncer/client-tls",
    ERROR,
    "TLS towards PgBouncer",
    why="data.metadataConnection.sslmode ends up on the URL to PgBouncer, which offers no TLS to "
    "its clients.",
)
def pgbouncer_client_tls(values: ValuesInput) -> Iterator[Finding]:
    """An sslmode that insists on TLS while PgBouncer is on."""
    insists = values.text(f"{_CONNECTION}.sslmode") in ("require", "verify-ca", "verify-full")
    if values.on("pgbouncer.enabled") and not by_secret(values) and insists:
        yield Finding(
            f"{_CONNECTION}.sslmode",
            "no pod reaches the database: PgBouncer offers no TLS to its clients",
            f"set {_CONNECTION}.sslmode: disable, and pgbouncer.sslmode: require for the server",
        )


@check(
    "pgbouncer/mysql",
    ERROR,
    "PgBouncer with MySQL",
    why="PgBouncer speaks PostgreSQL only.",
)
def pgbouncer_mysql(values: ValuesInput) -> Iterator[Finding]:
    """PgBouncer on with a MySQL protocol."""
    if values.on("pgbouncer.enabled") and values.text(f"{_CONNECTION}.protocol").startswith(
        "mysql"
    ):
        yield Finding(
            "pgbouncer.enabled",
            "no pod reaches the database: PgBouncer does not speak MySQL",
            "set pgbouncer.enabled: false",
        )


@check(
    "pgbouncer/pre-stop",
    WARNING,
    "PgBouncer's preStop outlasts its grace period",
    why="The default hook sleeps 120 s, but the pod is killed after 30 s, which the chart does "
    "not let you change.",
)
def pgbouncer_pre_stop(values: ValuesInput) -> Iterator[Finding]:
    """A sleep of 30 seconds or more."""
    if not values.on("pgbouncer.enabled"):
        return
    path = "pgbouncer.containerLifecycleHooks.preStop.exec.command"
    command = values.get(path)
    text = " ".join(str(part) for part in command) if isinstance(command, list) else ""
    sleeps = [int(seconds) for seconds in re.findall(r"sleep (\d{1,6})\b", text)]
    if any(seconds >= _GRACE for seconds in sleeps):
        yield Finding(
            path if values.given(path) else "pgbouncer.enabled",
            "open connections are cut at every restart: PgBouncer is killed after 30 s, before its "
            "preStop hook ends",
            'set pgbouncer.containerLifecycleHooks.preStop.exec.command: ["/bin/sh", "-c", '
            '"killall -INT pgbouncer && sleep 25"]',
        )


@check(
    "pgbouncer/result-backend-name",
    ERROR,
    "The result backend's URL names a Service that does not exist",
    why="The rendered Secret points to <release>-pgbouncer while standard naming calls the "
    "Service <fullname>-pgbouncer.",
    source="chart 1.22.0, templates/secrets/result-backend-connection-secret.yaml",
)
def result_backend_name(values: ValuesInput) -> Iterator[Finding]:
    """Standard naming, PgBouncer and an inline result backend."""
    inline = values.on("data.resultBackendConnection") and not values.on(
        "data.resultBackendSecretName"
    )
    differs = values.fullname != values.release
    if values.celery and values.on("pgbouncer.enabled") and inline and differs:
        yield Finding(
            "data.resultBackendConnection",
            "Celery workers cannot store results: the URL names a Service that does not exist",
            "give the connection by data.resultBackendSecretName",
        )


@check(
    "pgbouncer/connections",
    WARNING,
    "More database clients than PgBouncer takes",
    why="Each process keeps a pool of sql_alchemy_pool_size + sql_alchemy_max_overflow; beyond "
    "pgbouncer.maxClientConn PgBouncer refuses clients.",
)
def connections(values: ValuesInput) -> Iterator[Finding]:
    """The pools of all replicas at full scale against `maxClientConn`."""
    limit = values.number("pgbouncer.maxClientConn")
    if not values.on("pgbouncer.enabled") or values.on("pgbouncer.configSecretName") or not limit:
        return
    needed = full_scale_connections(values)
    if needed > limit:
        yield Finding(
            "pgbouncer.maxClientConn" if values.given("pgbouncer.maxClientConn") else "pgbouncer",
            f"at full scale Airflow may open about {needed:g} connections, PgBouncer takes "
            f"{limit:g}",
            "raise pgbouncer.maxClientConn, or lower config.database.sql_alchemy_pool_size and "
            "sql_alchemy_max_overflow",
        )


def full_scale_connections(values: ValuesInput) -> float:
    """An estimate: one pool per long-running process, one connection per Airflow 2 task slot."""
    size = values.number("config.database.sql_alchemy_pool_size") or 5
    overflow = values.number("config.database.sql_alchemy_max_overflow")
    pool = size + (10 if overflow is None else overflow)
    server = "apiServer" if values.airflow3 else "webserver"
    processes = _most(values, server, "hpa") + _most(values, "triggerer", "keda")
    processes += values.number("scheduler.replicas") or 1
    processes += values.number("dagProcessor.replicas") or 1
    tasks = values.number("config.celery.worker_concurrency") or 16
    slots = tasks if values.airflow2 else 1
    return processes * pool + (_most_workers(values) * slots if values.celery else 0)


def _most(values: ValuesInput, component: str, scaler: str) -> float:
    if values.on(f"{component}.{scaler}.enabled"):
        return values.number(f"{component}.{scaler}.maxReplicaCount") or 1
    return values.number(f"{component}.replicas") or 1


def _most_workers(values: ValuesInput) -> float:
    for scaler in ("keda", "hpa"):
        if values.worker(f"{scaler}.enabled"):
            return as_number(values.worker(f"{scaler}.maxReplicaCount")) or 1
    return as_number(values.worker("replicas")) or 1
