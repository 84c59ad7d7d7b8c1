"""Checks of metrics, traces and logs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.rule import PRODUCTION_ONLY
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check

_SOURCE = "chart 1.22.0, templates/check-values.yaml"
_OTEL_TAG = "0.70.0"
_METRICS = "config.metrics"
_STATSD_PLACES = ("AIRFLOW__METRICS__STATSD_HOST", "DD_DOGSTATSD_URL")


def _true(values: ValuesInput, path: str) -> bool:
    return str(values.get(path)).strip().lower() in ("true", "1", "t", "y", "yes", "on")


def _remote(values: ValuesInput) -> bool:
    return (
        _true(values, "config.logging.remote_logging")
        or values.on("elasticsearch.enabled")
        or values.on("opensearch.enabled")
        or values.sets_variable("AIRFLOW__LOGGING__REMOTE_LOGGING")
    )


@check(
    "monitoring/statsd-host",
    ERROR,
    "StatsD metrics without a receiver",
    why="statsd_host defaults to the chart's own exporter, which is not rendered when it is off.",
)
def statsd_host(values: ValuesInput) -> Iterator[Finding]:
    """Exporter off, metrics on, and no host of one's own."""
    own = values.given(f"{_METRICS}.statsd_host")
    by_variable = any(map(values.sets_variable, _STATSD_PLACES))
    sent = _true(values, f"{_METRICS}.statsd_on")
    if sent and not values.on("statsd.enabled") and not own and not by_variable:
        yield Finding(
            f"{_METRICS}.statsd_on",
            "all metrics are lost: they are sent to an exporter that does not run",
            f"set {_METRICS}.statsd_host and statsd_port, or {{key:statsd.enabled}}: true",
        )


@check(
    "monitoring/no-metrics",
    WARNING,
    "Production without metrics",
    why="Nobody sees a scheduler that hangs, or a queue that grows.",
    tiers=PRODUCTION_ONLY,
)
def no_metrics(values: ValuesInput) -> Iterator[Finding]:
    """Neither StatsD nor OpenTelemetry."""
    on = values.on("statsd.enabled") or values.on("otelCollector.metricsEnabled")
    own = _true(values, f"{_METRICS}.statsd_on") or _true(values, f"{_METRICS}.otel_on")
    if not on and not own:
        yield Finding(
            "statsd.enabled",
            "without metrics nobody sees a scheduler that hangs",
            (
                "set {key:statsd.enabled}: true, or {key:otelCollector.metricsEnabled}: true",
                "set {key:statsd.enabled}: true",
            ),
        )


@check(
    "monitoring/two-kinds-of-metrics",
    WARNING,
    "StatsD and OpenTelemetry metrics together",
    why="Airflow sends metrics one way only and takes StatsD when both are on.",
    source="apache-airflow-core 3.2.2",
    also=((INFO, "only the StatsD exporter runs beside the collector"),),
)
def two_kinds(values: ValuesInput) -> Iterator[Finding]:
    """Both switched on in `config.metrics`, or an exporter that gets nothing."""
    statsd = _true(values, f"{_METRICS}.statsd_on")
    otel = _true(values, f"{_METRICS}.otel_on") or values.on("otelCollector.metricsEnabled")
    if statsd and otel:
        yield Finding(
            f"{_METRICS}.statsd_on",
            "no OpenTelemetry metrics are sent: Airflow takes StatsD when both are on",
            f'set {_METRICS}.statsd_on: "False"',
        )
    elif values.on("otelCollector.metricsEnabled") and values.on("statsd.enabled"):
        yield Finding(
            "otelCollector.metricsEnabled",
            "the StatsD exporter runs and gets nothing",
            "set {key:statsd.enabled}: false",
            INFO,
        )


@check(
    "monitoring/collector-goes-nowhere",
    WARNING,
    "A collector that sends nothing on",
    why="The chart's default pipeline writes to the collector's own log.",
)
def collector_goes_nowhere(values: ValuesInput) -> Iterator[Finding]:
    """The collector on, and pipelines that only log: the chart's, or such of one's own."""
    for signal in ("traces", "metrics"):
        key = f"otelCollector.{signal}Enabled"
        if values.on(key) and values.line.ends_in_log(values.merged, signal):
            yield Finding(
                key,
                f"{signal} end in the collector's log: no exporter sends them on",
                "set {key:otelCollector.config} with an exporter to your backend",
            )


@check(
    "monitoring/collector-image",
    ERROR,
    "A newer collector with the chart's configuration",
    why="The `logging` exporter of the default configuration is gone in current images.",
    source="open-telemetry/opentelemetry-collector release notes",
)
def collector_image(values: ValuesInput) -> Iterator[Finding]:
    """Another tag without a configuration of one's own."""
    on = values.on("otelCollector.tracesEnabled") or values.on("otelCollector.metricsEnabled")
    tag = values.text("images.otelCollector.tag")
    if on and tag not in ("", _OTEL_TAG) and not values.on("otelCollector.config"):
        yield Finding(
            "images.otelCollector.tag",
            "the collector does not start: its image no longer has the default exporter",
            "set {key:otelCollector.config} too",
        )


@check(
    "monitoring/mappings-without-restart",
    INFO,
    "StatsD mappings that are not taken over",
    why="With only overrideMappings changed the pod carries no checksum and is not restarted.",
    source="chart 1.22.0, templates/statsd",
)
def mappings(values: ValuesInput) -> Iterator[Finding]:
    """`statsd.overrideMappings` without a pod annotation that changes with it."""
    noticed = values.on("statsd.extraMappings") or values.on("statsd.podAnnotations")
    if values.on("statsd.enabled") and values.on("statsd.overrideMappings") and not noticed:
        yield Finding(
            "statsd.overrideMappings",
            "a changed mapping is not used until the exporter is restarted",
            "add a pod annotation under {key:statsd.podAnnotations} that you change with it",
        )


@check(
    "monitoring/two-log-stores",
    ERROR,
    "Elasticsearch and OpenSearch together",
    why="The chart fails the render.",
    source=_SOURCE,
)
def two_log_stores(values: ValuesInput) -> Iterator[Finding]:
    """Both on."""
    if values.on("elasticsearch.enabled") and values.on("opensearch.enabled"):
        yield Finding(
            "opensearch.enabled",
            "the render fails: elasticsearch and opensearch exclude each other",
            "switch one of the two off",
        )


@check(
    "monitoring/log-store-connection",
    ERROR,
    "A log store with no connection, or with two",
    why="The chart fails the render unless exactly one of secretName and connection is set.",
    source=_SOURCE,
)
def log_store_connection(values: ValuesInput) -> Iterator[Finding]:
    """Both or neither of `secretName` and `connection`."""
    for store in ("elasticsearch", "opensearch"):
        named, inline = values.on(f"{store}.secretName"), values.on(f"{store}.connection")
        if values.on(f"{store}.enabled") and named == inline:
            yield Finding(
                f"{store}.connection" if inline else f"{store}.enabled",
                f"the render fails: {store} needs secretName or connection, and not both",
                f"set {{key:{store}.secretName}} alone, to a Secret with the key connection",
            )


@check(
    "monitoring/logs-lost",
    WARNING,
    "Task logs go with the pod",
    why="Without remote logging or a shared volume logs live in the pod that ran the task.",
    source="chart 1.22.0, templates/NOTES.txt",
    also=((INFO, "the executor keeps no logs in pods of its own"),),
)
def logs_lost(values: ValuesInput) -> Iterator[Finding]:
    """Neither remote logging nor a volume."""
    if values.on("logs.persistence.enabled") or _remote(values) or values.on("extraEnvFrom"):
        return
    key = "config.logging" if values.given("config.logging") else "executor"
    kept = values.worker("persistence.enabled")
    if values.kubernetes:
        severity = None
    elif kept or not values.executors:
        return
    else:
        severity = None if values.celery else INFO
    yield Finding(
        key,
        "task logs are gone as soon as their pod is",
        'set config.logging.remote_logging: "True" with remote_base_log_folder, or '
        "{key:logs.persistence.enabled}: true",
        severity,
    )


@check(
    "monitoring/remote-log-folder",
    ERROR,
    "Remote logging without a place",
    why="Airflow cannot tell which store to write to.",
    source="Airflow, [logging] remote_base_log_folder",
)
def remote_log_folder(values: ValuesInput) -> Iterator[Finding]:
    """`remote_logging` on, no `remote_base_log_folder`."""
    store = values.on("elasticsearch.enabled") or values.on("opensearch.enabled")
    folder = "config.logging.remote_base_log_folder"
    if _true(values, "config.logging.remote_logging") and not store:
        by_variable = values.sets_variable("AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER")
        if not values.on(folder) and not by_variable and not values.on("extraEnvFrom"):
            yield Finding(
                "config.logging.remote_logging",
                "task logs are not kept: remote logging has no place to write to",
                f"set {folder}, such as s3://bucket/path",
            )
