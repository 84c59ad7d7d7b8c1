"""Rules about scaling, syncing and watching an environment."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, INFO, WARNING
from generator.release.collector import collector
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "scaling/keda-not-in-cluster",
    ERROR,
    "KEDA in a cluster without it",
    "The ScaledObject would be refused and nothing would scale.",
)
def _keda(release: Release) -> Iterator[Place]:
    environment = release.environment
    available = any(item.startswith("keda.sh/") for item in release.resolved.cluster.api_versions)
    for name, part in (("workers", environment.workers), ("triggerer", environment.triggerer)):
        scaling = part.autoscaling
        if scaling is not None and scaling.type == "keda" and not available:
            yield (
                (name, "autoscaling"),
                "the cluster has no KEDA",
                "install it and add keda.sh/v1alpha1 to the cluster's apiVersions",
            )


@_rule(
    "scaling/refresh-needs-gunicorn",
    INFO,
    "Renewing API server processes needs gunicorn in the image",
    "Airflow 3.2 renews processes only under gunicorn, and does not start when it is missing.",
)
def _refresh(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.api_server.worker_refresh is not None and environment.airflow_since(3, 2):
        yield (
            ("apiServer", "workerRefresh"),
            "the image needs the package gunicorn",
            "add it to the image; without it the API server does not start",
        )


@_rule(
    "executor/settings-without-effect",
    INFO,
    "Worker settings without workers",
    "LocalExecutor runs tasks inside the scheduler.",
)
def _no_workers(release: Release) -> Iterator[Place]:
    written = release.resolved.definition.part("workers")
    top = release.topology
    if isinstance(written, dict) and not top.celery and not top.kubernetes:
        yield ("workers",), "no worker runs with this executor", "size the scheduler instead"


@_rule(
    "sync/schedule",
    ERROR,
    "A sync window without a valid schedule",
    "Argo CD refuses the AppProject.",
)
def _windows(release: Release) -> Iterator[Place]:
    import zoneinfo

    from croniter import croniter

    for window in release.environment.sync.windows:
        if not croniter.is_valid(window.schedule):
            yield (
                ("sync", "windows"),
                f"'{window.schedule}' is not a cron expression",
                "five fields, such as 0 18 * * 5",
            )
        if window.time_zone not in zoneinfo.available_timezones():
            yield (
                ("sync", "windows"),
                f"unknown time zone '{window.time_zone}'",
                "use a name such as Europe/Berlin",
            )


@_rule(
    "monitoring/operator-not-in-cluster",
    ERROR,
    "A ServiceMonitor without its operator",
    "The cluster would refuse the object, and with it the whole sync.",
)
def _operator(release: Release) -> Iterator[Place]:
    versions = release.resolved.cluster.api_versions
    metrics = release.environment.metrics
    rules = metrics.alerts is not None and metrics.discovery == "operator"
    wanted = metrics.service_monitor or rules
    if wanted and not any(item.startswith("monitoring.coreos.com/") for item in versions):
        yield (
            ("metrics", "serviceMonitor" if metrics.service_monitor else "alerts"),
            "the cluster has no Prometheus operator",
            "install it and add monitoring.coreos.com/v1 to the cluster's apiVersions",
        )


@_rule(
    "storage/access-mode",
    WARNING,
    "A claim that asks a storage class for an access mode that it does not have",
    "The claim stays pending, or a pod on a second node cannot mount the volume.",
)
def _access_modes(release: Release) -> Iterator[Place]:
    environment, cluster = release.environment, release.resolved.cluster
    claims = (
        (("logging", "persistence"), environment.logging.persistence),
        (("dags", "persistence"), environment.dags.persistence),
    )
    for path, volume in claims:
        if volume is None or volume.existing_claim is not None:
            continue
        name = volume.storage_class_name or cluster.storage_class or ""
        modes = cluster.storage_classes.get(name)
        if modes is not None and volume.access_mode not in modes:
            fitting = sorted(
                item for item, own in cluster.storage_classes.items() if volume.access_mode in own
            )
            yield (
                (*path, "accessMode"),
                f"the storage class {name} has no {volume.access_mode} ({', '.join(modes)})",
                f"set {'.'.join(path)}.storageClassName"
                + (f" to {' or '.join(fitting)}" if fitting else " to a class that has it"),
            )


@_rule(
    "monitoring/nothing-to-scrape",
    WARNING,
    "A ServiceMonitor that selects nothing",
    "Scraped are the StatsD and PgBouncer exporters, and the chart's collector; others push.",
)
def _nothing(release: Release) -> Iterator[Place]:
    scraped = release.topology.has("statsd") or release.topology.has("pgbouncer")
    if release.topology.has("otel-collector"):
        scraped = scraped or bool(release.line.scraped(release.values))
    if release.environment.metrics.service_monitor and not scraped:
        yield (
            ("metrics", "serviceMonitor"),
            "nothing here is scraped",
            "set metrics.type to statsd, or to otel without endpoint; or set serviceMonitor to "
            "false",
        )


def _headers(release: Release) -> Iterator[tuple[str, str]]:
    """Section and endpoint of each collector that gets headers."""
    environment = release.environment
    for section, part in (("metrics", environment.metrics), ("tracing", environment.tracing)):
        if part.headers_secret_name and part.endpoint:
            yield section, part.endpoint


@_rule(
    "telemetry/headers-in-clear",
    WARNING,
    "Headers with credentials that are sent without TLS",
    "Whoever sees the traffic reads them.",
)
def _in_clear(release: Release) -> Iterator[Place]:
    for section, endpoint in _headers(release):
        if not collector(endpoint).tls:
            yield (
                (section, "endpoint"),
                f"{section}.headersSecretName is sent without TLS",
                f"write the endpoint as https://{endpoint.removeprefix('http://')}",
            )


@_rule(
    "telemetry/headers-need-airflow-3",
    ERROR,
    "Headers for a collector on Airflow 2",
    "Airflow 2 sends its own headers and ignores these: the collector refuses everything.",
)
def _unread(release: Release) -> Iterator[Place]:
    if release.environment.airflow_3:
        return
    for section, _ in _headers(release):
        yield (
            (section, "headersSecretName"),
            "Airflow 2 does not read headers for a collector",
            "send to a collector without credentials, or use Airflow 3",
        )


@_rule(
    "tracing/chart-collector",
    WARNING,
    "Traces that the chart's own collector never gets",
    "The chart names the exporter otlp, which means gRPC to Airflow 3.2, and port 4318, which "
    "speaks HTTP.",
)
def _traces(release: Release) -> Iterator[Place]:
    environment = release.environment
    tracing = environment.tracing
    if tracing.enabled and tracing.endpoint is None and environment.airflow_since(3, 2):
        yield (
            ("tracing", "enabled"),
            "every trace is lost: exporter and port of the chart's collector do not fit",
            "set tracing.endpoint to your own collector",
        )
