"""What runs, read from merged values: components, and who must talk to whom."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.chart.version import parse_version
from generator.core.layered import lookup
from generator.kube.fields import entries, number
from generator.model.environment import executors_of
from generator.release.topology import Flow, Ports, Topology
from generator.release.v1 import airflow_options, cloud_identity, otel_collector
from generator.release.v1.names import JOB_PARTS, PORTS, Names


def read(
    values: Mapping[str, Any],
    release: str,
    namespace: str,
    older_names: frozenset[str] = frozenset(),
) -> Topology:
    """The topology that these merged values give; gen-env writes every switch explicitly."""
    version = str(lookup(values, "airflowVersion") or "3")
    executors = executors_of(str(lookup(values, "executor") or "CeleryExecutor"))
    bare = Topology(
        names=Names.of(values, release, namespace),
        airflow_3=int(version.split(".")[0]) >= 3,
        executors=executors,
        parts=(),
        values=values,
        older_names=older_names,
    )
    return dataclasses.replace(bare, parts=tuple(_parts(bare)))


def _parts(top: Topology) -> Iterator[str]:
    if lookup(top.values, f"{'apiServer' if top.airflow_3 else 'webserver'}.enabled") is not False:
        yield top.server
    yield "scheduler"
    processor = lookup(top.values, "dagProcessor.enabled")
    if processor is True or (processor is None and top.airflow_3):
        yield "dag-processor"
    if lookup(top.values, "triggerer.enabled") is not False:
        yield "triggerer"
    if top.celery or top.kubernetes:
        yield "worker"
    if top.celery and lookup(top.values, "redis.enabled") is not False:
        yield "redis"
    if top.celery and top.on("flower.enabled"):
        yield "flower"
    for part, key in (
        ("pgbouncer", "pgbouncer.enabled"),
        ("statsd", "statsd.enabled"),
        ("postgresql", "postgresql.enabled"),
        ("create-user-job", "createUserJob.enabled"),
        ("run-airflow-migrations", "migrateDatabaseJob.enabled"),
        ("database-cleanup", "databaseCleanup.enabled"),
    ):
        if top.on(key):
            yield part
    if top.on("cleanup.enabled") and top.kubernetes:
        yield "airflow-cleanup-pods"
    if top.on("otelCollector.metricsEnabled") or top.on("otelCollector.tracesEnabled"):
        yield "otel-collector"


def workloads(top: Topology) -> tuple[tuple[str, str], ...]:
    """Kind and name of every Deployment and StatefulSet, as the templates decide between the two.

    Further sets of workers (`workers.celery.sets`) are not among them.
    """
    stateful = {"redis", "postgresql"}
    volume = lookup(top.values, "workers.celery.persistence.enabled")
    if volume is None:
        volume = lookup(top.values, "workers.persistence.enabled")
    if volume is not False:  # the chart's default
        stateful |= {"worker", *(("scheduler",) if top.local else ())}
    if _triggerer_keeps_logs(top):
        stateful.add("triggerer")
    absent = {*JOB_PARTS, *(top.backup.parts if top.backup else ())}
    if not top.celery or lookup(top.values, "workers.celery.enableDefault") is False:
        absent.add("worker")
    return tuple(
        (
            "StatefulSet" if part in stateful else "Deployment",
            top.names.postgresql if part == "postgresql" else top.names.of_part(part),
        )
        for part in top.parts
        if part not in absent
    )


def _triggerer_keeps_logs(top: Topology) -> bool:
    """Whether it has a volume: charts that run Airflow before 2.6 give that one none."""
    version = parse_version(str(lookup(top.values, "airflowVersion") or ""))
    older = version is not None and (version.major, version.minor) < (2, 6)
    return not older and lookup(top.values, "triggerer.persistence.enabled") is not False


def server_port(top: Topology) -> tuple[str, int]:
    """Name and number of the port of the server's Service, where `values:` do not change them.

    Chart 1.22.0 makes `service.ports` with `ports.apiServer` and `ports.airflowUI`; a port given
    as another template counts as that one.
    """
    part, name, key = (
        ("apiServer", "api-server", "apiServer")
        if top.airflow_3
        else ("webserver", "airflow-ui", "airflowUI")
    )
    usual = number(lookup(top.values, f"ports.{key}")) or PORTS[top.server]
    rows = entries(lookup(top.values, f"{part}.service.ports"))
    row = next((row for row in rows if row.get("name") == name), rows[0] if rows else {})
    return str(row.get("name") or name), number(row.get("port")) or usual


def _backup(top: Topology) -> Iterator[Flow]:
    """Past PgBouncer: a dump needs a session, which a pool of transactions does not keep."""
    backup = top.backup
    for part in backup.parts if backup else ():
        assert backup is not None
        if part == backup.parts[0]:
            inside = top.has("postgresql")
            server, ports = ("postgresql", _tcp("postgresql")) if inside else ("peer:database", ())
            yield Flow(part, server, ports, "dump of the database")
        if backup.s3:
            yield Flow(part, "peer:backup", (), "storage of backups")
        if backup.s3 and not backup.keys:
            yield cloud_identity.flow(part, backup.annotations, "credentials of the storage")
        if top.has("statsd"):
            yield Flow(part, "statsd", ((PORTS["statsd-ingest"], "UDP"),), "metrics")


# Airflow's own look into files, the environment and the metadata database alone.
_LOCAL_BACKENDS = ("airflow.secrets.", "airflow.sdk.")


def _tcp(*names: str) -> Ports:
    return tuple((PORTS[name], "TCP") for name in names)


def airflow_parts(top: Topology) -> tuple[str, ...]:
    """Components, jobs and cron jobs that run Airflow's code and so open the database."""
    running = (top.server, "scheduler", "dag-processor", "triggerer", "worker", "flower")
    return tuple(part for part in (*running, *JOB_PARTS) if top.has(part))


def flows(top: Topology) -> tuple[Flow, ...]:
    """Every flow that the release needs, to components that exist and to outside peers."""
    found = [*_database(top), *_broker(top), *_api(top), *_metrics(top), *_outside(top)]
    found += _backup(top)
    return tuple(dict.fromkeys(found))


def _database(top: Topology) -> Iterator[Flow]:
    server = "postgresql" if top.has("postgresql") else "peer:database"
    direct = _tcp("postgresql") if server == "postgresql" else ()
    pooled = top.has("pgbouncer")
    target, ports = ("pgbouncer", _tcp("pgbouncer")) if pooled else (server, direct)
    for part in airflow_parts(top):
        yield Flow(part, target, ports, "metadata database")
    if pooled:
        yield Flow("pgbouncer", server, direct, "pooled connections")
    scaled = [f"{part}.keda" for part in ("workers.celery", "triggerer")]
    for keda in filter(lambda key: top.on(f"{key}.enabled"), scaled):
        if pooled and lookup(top.values, f"{keda}.usePgbouncer") is not False:
            yield Flow("peer:keda", "pgbouncer", _tcp("pgbouncer"), "length of the queue")
        elif server == "postgresql":
            yield Flow("peer:keda", "postgresql", _tcp("postgresql"), "length of the queue")


def _broker(top: Topology) -> Iterator[Flow]:
    if not top.celery:
        return
    target = "redis" if top.has("redis") else "peer:broker"
    ports = _tcp("redis") if target == "redis" else ()
    for part in ("scheduler", "worker", "flower"):
        if top.has(part):
            yield Flow(part, target, ports, "Celery broker")


def _api(top: Topology) -> Iterator[Flow]:
    server = top.server
    if top.airflow_3 and top.has(server):
        callers = [part for part in ("worker",) if top.has(part)]
        callers += ["scheduler"] if top.local else []
        for part in callers:
            yield Flow(part, server, _tcp(server), "Execution API")
    if not top.has(server):
        return
    if top.celery:
        yield Flow(server, "worker", _tcp("worker-logs"), "task logs")
    if top.local:
        yield Flow(server, "scheduler", _tcp("worker-logs"), "task logs")
    if top.has("triggerer"):
        yield Flow(server, "triggerer", _tcp("triggerer-logs"), "trigger logs")
    key = "ingress.apiServer.enabled" if top.airflow_3 else "ingress.web.enabled"
    if top.on(key):
        yield Flow("peer:ingress", server, _tcp(server), "UI and API")
    for way in top.entrances:
        yield Flow(f"peer:{way}", server, _tcp(server), "UI and API")
    if top.has("flower") and top.on("ingress.flower.enabled"):
        yield Flow("peer:ingress", "flower", _tcp("flower"), "flower")


def _metrics(top: Topology) -> Iterator[Flow]:
    for part in airflow_parts(top):
        if top.has("statsd"):
            yield Flow(part, "statsd", ((PORTS["statsd-ingest"], "UDP"),), "metrics")
        elif port := airflow_options.statsd_port(top.values, part):
            yield Flow(part, "peer:statsd", ((port, "UDP"),), "metrics")
        if top.has("otel-collector"):
            yield Flow(part, "otel-collector", _tcp("otlp-grpc", "otlp-http"), "telemetry")
    if top.has("statsd"):
        yield Flow("peer:monitoring", "statsd", _tcp("statsd-scrape"), "scrape")
    if top.has("pgbouncer"):
        yield Flow("peer:monitoring", "pgbouncer", _tcp("pgbouncer-scrape"), "scrape")
    ports = tuple((number, "TCP") for _, number in otel_collector.scraped(top.values))
    if top.has("otel-collector") and ports:
        yield Flow("peer:monitoring", "otel-collector", ports, "scrape")


def code_parts(top: Topology) -> tuple[str, ...]:
    """Components that fetch DAGs and run their code: tasks, triggers, callbacks of failed runs."""
    wanted = ["dag-processor", "triggerer", "worker"]
    if top.local or not top.has("dag-processor"):
        wanted.append("scheduler")
    return tuple(part for part in wanted if top.has(part))


def kubernetes_parts(top: Topology) -> tuple[str, ...]:
    """Components that call the Kubernetes API: they launch pods or read their logs."""
    wanted = ["airflow-cleanup-pods"]
    if top.kubernetes:
        wanted.append("scheduler")
    if lookup(top.values, "allowPodLaunching") is not False:
        wanted += ["worker", "triggerer"]
        wanted += ["scheduler"] if top.local else []
    if lookup(top.values, "apiServer.allowPodLogReading") is not False:
        wanted.append(top.server)
    return tuple(part for part in dict.fromkeys(wanted) if top.has(part))


def log_parts(top: Topology) -> tuple[str, ...]:
    """Components that write or read task logs outside the pods."""
    wanted = (top.server, "scheduler", "dag-processor", "triggerer", "worker")
    return tuple(part for part in wanted if top.has(part))


def _outside(top: Topology) -> Iterator[Flow]:
    values = top.values
    if top.on("dags.gitSync.enabled") or _has_git_bundle(values):
        for part in code_parts(top):
            yield Flow(part, "peer:git", (), "DAG repository")
    for part in kubernetes_parts(top):
        yield Flow(part, "peer:kubernetes", (), "Kubernetes API")
    searched = top.on("elasticsearch.enabled") or top.on("opensearch.enabled")
    for part in log_parts(top):
        if searched or airflow_options.is_on(values, "logging", "remote_logging", part):
            yield Flow(part, "peer:logs", (), "remote task logs")
    for part in code_parts(top):
        if _has_custom_bundle(values, part):
            yield Flow(part, "peer:bundles", (), "custom DAG bundles")
    yield from _secrets_backends(top)
    yield from cloud_identity.flows(top, airflow_parts(top), log_parts(top))
    for part in code_parts(top):
        if airflow_options.sends_mail(values, part):
            yield Flow(part, "peer:mail", (), "mail of tasks and callbacks")
    yield from _unread(top)
    if lookup(values, "apiServer.apiServerConfig") or lookup(values, "webserver.webserverConfig"):
        yield Flow(top.server, "peer:identity", (), "sign-in")
    if _external_otel(top):
        for part in airflow_parts(top):
            yield Flow(part, "peer:otel", (), "telemetry")
    for part in code_parts(top):
        yield Flow(part, "peer:tasks", (), "what tasks and callbacks reach")


def _secrets_backends(top: Topology) -> Iterator[Flow]:
    """Everybody looks into `[secrets]`, and who runs tasks into `[workers]` as well."""
    for section, option, parts in (
        ("secrets", "backend", airflow_parts(top)),
        ("workers", "secrets_backend", code_parts(top)),
    ):
        for part in parts:
            backend = airflow_options.option(top.values, section, option, part)
            if backend and not backend.startswith(_LOCAL_BACKENDS):
                yield Flow(part, "peer:secretsBackend", (), "secrets backend")


# The options that name a peer.
_NAMING = {
    "bundles": (("dag_processor", "dag_bundle_config_list"),),
    "logs": (("logging", "remote_logging"),),
    "mail": (("email", "email_backend"), ("smtp", "smtp_host")),
    "secretsBackend": (("secrets", "backend"), ("workers", "secrets_backend")),
}


def _unread(top: Topology) -> Iterator[Flow]:
    """Flows that are needed if an option out of sight says so."""
    for peer, options in _NAMING.items():
        parts = {
            "logs": log_parts(top), "secretsBackend": airflow_parts(top)
        }.get(peer, code_parts(top))  # fmt: skip
        names = tuple(airflow_options.variable_of(*option) for option in options)
        for part in parts:
            for item in airflow_options.unread(top.values, names, part):
                why = "what an option names"
                yield Flow(part, f"peer:{peer}", (), why, item.where, item.secret, names)


def _bundle_classes(values: Mapping[str, Any], part: str = "") -> list[str]:
    """The classes of the DAG bundles; text that is not valid JSON counts as an unknown class."""
    bundles = lookup(values, "dagProcessor.dagBundleConfigList") or []
    written = airflow_options.option(values, "dag_processor", "dag_bundle_config_list", part)
    if written and "{{" not in written:
        try:
            bundles = json.loads(written)
        except ValueError:
            return [written]
    return [str(bundle.get("classpath")) for bundle in bundles if isinstance(bundle, Mapping)]


def _has_git_bundle(values: Mapping[str, Any]) -> bool:
    return any("GitDagBundle" in name for name in _bundle_classes(values))


def _has_custom_bundle(values: Mapping[str, Any], part: str = "") -> bool:
    """Whether DAGs come from a place that only a class of the team's own knows."""
    known = ("GitDagBundle", "LocalDagBundle")
    return any(not name.endswith(known) for name in _bundle_classes(values, part))


def _external_otel(top: Topology) -> bool:
    switched = (
        lookup(top.values, "config.metrics.otel_on"),
        lookup(top.values, "config.traces.otel_on"),
    )
    return "True" in map(str, switched) and not top.has("otel-collector")
