"""Rules about a definition as a whole: hardening by tier, and choices that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from generator.chartlines.v1 import collector, connections
from generator.chartlines.v1.airflow_config import since
from generator.checks import combinations
from generator.checks.rule import (
    ERROR,
    ERROR_IN_PRODUCTION,
    INFO,
    NOT_IN_DEVELOPMENT,
    PRODUCTION_ONLY,
    WARNING,
    Rule,
    Tiers,
)
from generator.problem import Problem, Severity
from generator.release import Release

Find = Callable[[Release], Iterator[tuple[tuple[str, ...], str, str]]]
"""Finds (path in the definition, message, hint)."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")

_FOUND: list[tuple[Rule, Find]] = [*combinations.FOUND]


def _rule(
    identity: str, severity: Severity, title: str, why: str, tiers: Tiers = ()
) -> Callable[[Find], Find]:
    def mark(find: Find) -> Find:
        _FOUND.append((Rule(identity, severity, title, why, "gen-env", tiers), find))
        return find

    return mark


def rules() -> tuple[Rule, ...]:
    """Every rule about definitions."""
    return tuple(rule for rule, _ in _FOUND)


def problems(release: Release) -> Iterator[Problem]:
    """What these rules find in one environment."""
    tier = release.environment.metadata.tier
    for rule, find in _FOUND:
        severity = rule.severity_in(tier)
        if severity is None:
            continue
        for path, message, hint in find(release):
            yield release.resolved.problem(rule.id, severity, message, *path, hint=hint)


@_rule(
    "auth/default-user",
    ERROR,
    "A user with a password outside development",
    "One shared password, no second factor, nobody accountable.",
    NOT_IN_DEVELOPMENT,
)
def _default_user(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if release.environment.auth.default_user is not None:
        yield (
            ("auth", "defaultUser"),
            "a default user is for development only",
            "use auth.oidc or auth.ldap",
        )


@_rule(
    "auth/none",
    WARNING,
    "Nobody can sign in",
    "Without a way to sign in the UI shows a form that no account fits.",
    NOT_IN_DEVELOPMENT,
)
def _no_auth(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    auth = release.environment.auth
    if (
        auth.oidc is None
        and auth.ldap is None
        and auth.manager is None
        and auth.default_user is None
    ):
        yield ("auth",), "no way to sign in is set", "set auth.oidc, auth.ldap or auth.manager"


@_rule(
    "auth/manager-needs-airflow-3",
    ERROR,
    "An auth manager on Airflow 2",
    "Auth managers of other packages exist since Airflow 3.",
)
def _manager(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if release.environment.auth.manager and not release.environment.airflow_3:
        yield ("auth", "manager"), "Airflow 2 has only Flask AppBuilder", "remove auth.manager"


@_rule(
    "dags/bundles-need-airflow-3",
    ERROR,
    "DAG bundles on Airflow 2",
    "Airflow 2 does not know bundles: no DAG would be found.",
)
def _bundles(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if release.environment.dags.bundles is not None and not release.environment.airflow_3:
        yield ("dags", "bundles"), "DAG bundles need Airflow 3", "use dags.gitSync"


@_rule(
    "dags/unpinned-ref",
    INFO,
    "DAGs follow a branch",
    "What runs changes with each push, outside of review and promotion of this repository.",
    PRODUCTION_ONLY,
)
def _unpinned(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    sync = release.environment.dags.git_sync
    if sync is not None and not _COMMIT.fullmatch(sync.ref):
        yield (
            ("dags", "gitSync", "ref"),
            "DAGs follow a moving ref",
            "pin a commit here to promote DAG revisions; suppress this if pushes go live",
        )


@_rule(
    "dags/volume-on-one-node",
    ERROR,
    "A DAG volume that pods on other nodes cannot mount",
    "Pods on another node stay in ContainerCreating for ever.",
)
def _dag_volume(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    volume = release.environment.dags.persistence
    nodes = release.resolved.cluster.nodes
    if volume is not None and volume.access_mode == "ReadWriteOnce" and nodes != 1:
        yield (
            ("dags", "persistence", "accessMode"),
            f"{volume.access_mode} cannot be mounted by pods on several nodes",
            "use ReadWriteMany or ReadOnlyMany, or write nodes: 1 in the cluster catalogue",
        )


@_rule(
    "scaling/keda-not-in-cluster",
    ERROR,
    "KEDA in a cluster without it",
    "The ScaledObject would be refused and nothing would scale.",
)
def _keda(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
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
    "monitoring/operator-not-in-cluster",
    ERROR,
    "A ServiceMonitor without its operator",
    "The cluster would refuse the object, and with it the whole sync.",
)
def _operator(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    versions = release.resolved.cluster.api_versions
    wanted = release.environment.metrics.service_monitor
    if wanted and not any(item.startswith("monitoring.coreos.com/") for item in versions):
        yield (
            ("metrics", "serviceMonitor"),
            "the cluster has no Prometheus operator",
            "install it and add monitoring.coreos.com/v1 to the cluster's apiVersions",
        )


@_rule(
    "monitoring/nothing-to-scrape",
    WARNING,
    "A ServiceMonitor that selects nothing",
    "Scraped are the StatsD and PgBouncer exporters, and the chart's collector; others push.",
)
def _nothing(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    scraped = release.topology.has("statsd") or release.topology.has("pgbouncer")
    if release.topology.has("otel-collector"):
        scraped = scraped or bool(collector.scraped(release.values))
    if release.environment.metrics.service_monitor and not scraped:
        yield (
            ("metrics", "serviceMonitor"),
            "nothing here is scraped",
            "set metrics.type to statsd, or to otel without an endpoint of yours; or serviceMonitor"
            " to false",
        )


@_rule(
    "database/connections",
    WARNING,
    "More connections than the database grants",
    "The database refuses what is over its limit: pods crash at the busiest hour.",
    ERROR_IN_PRODUCTION,
)
def _connections(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    database = release.environment.database
    if database.max_connections is None:
        return
    total, how = _demand(release)
    if total > database.max_connections:
        yield (
            ("database", "maxConnections"),
            f"the replicas may open {total} connections ({how}), the server grants"
            f" {database.max_connections}",
            "use pgbouncer, fewer replicas, or a smaller pool (airflow.config.database)",
        )


def _demand(release: Release) -> tuple[int, str]:
    """Connections that reach the server when everything is busy, and how they add up."""
    environment = release.environment
    pool = environment.pgbouncer
    if pool is not None:
        each = pool.pool_size + (
            pool.result_backend_pool_size if environment.runs("CeleryExecutor") else 0
        )
        return pool.replicas * each, f"{pool.replicas} PgBouncers with {each} each"
    replicas = _replicas(release)
    demands = connections.connections(environment)
    parts = [(item.component, replicas.get(item.component, 1) * item.per_pod) for item in demands]
    return sum(count for _, count in parts), ", ".join(f"{name} {count}" for name, count in parts)


def _replicas(release: Release) -> dict[str, int]:
    """The most pods of each component, autoscalers at their maximum."""
    environment = release.environment
    found = {
        "scheduler": environment.scheduler.replicas,
        "dagProcessor": environment.dag_processor.replicas,
    }
    for name, part in (
        ("apiServer", environment.api_server),
        ("triggerer", environment.triggerer),
        ("workers", environment.workers),
    ):
        scaling, fixed = part.autoscaling, part.replicas
        found[name] = scaling.max_replicas if scaling else 1 if fixed is None else fixed
    return found


@_rule(
    "network/off",
    WARNING,
    "No network policies in production",
    "Every pod of the cluster can reach the metadata database and the workers' log servers.",
    PRODUCTION_ONLY,
)
def _network(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if release.environment.network_policy.mode == "off":
        yield (
            ("networkPolicy", "mode"),
            "nothing guards the pods",
            "set networkPolicy.mode to ingress, and to enforce once its peers are known",
        )


@_rule(
    "network/task-egress",
    INFO,
    "Tasks may reach nothing",
    "With enforce, tasks get out only where taskEgress says so.",
)
def _task_egress(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    policy = release.environment.network_policy
    if policy.mode == "enforce" and not policy.task_egress:
        yield (
            ("networkPolicy", "taskEgress"),
            "tasks may reach nothing outside",
            "list what they need: taskEgress: [{cidr: 10.30.0.0/16, ports: [443]}]",
        )


@_rule(
    "security/pod-security",
    WARNING,
    "The namespace accepts privileged pods",
    "A task could take over its node.",
    NOT_IN_DEVELOPMENT,
)
def _pod_security(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if release.environment.security.pod_security == "privileged":
        yield (
            ("security", "podSecurity"),
            "podSecurity is privileged",
            "use restricted, or baseline where tasks need more",
        )


@_rule(
    "security/openshift-group",
    ERROR,
    "Another group under OpenShift",
    "An assigned user id writes to the image's folders only through group 0.",
)
def _openshift(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    environment = release.environment
    both = environment.security.openshift or release.resolved.cluster.openshift
    if both and environment.security.gid != 0:
        yield (("security", "gid"), "with an assigned uid the image needs group 0", "remove gid")


@_rule(
    "executor/settings-without-effect",
    INFO,
    "Worker settings without workers",
    "LocalExecutor runs tasks inside the scheduler.",
)
def _no_workers(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
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
def _windows(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    import zoneinfo

    from croniter import croniter

    for window in release.environment.sync.windows:
        if not croniter.is_valid(window.schedule):
            yield (
                ("sync", "windows"),
                f"'{window.schedule}' is no cron expression",
                "five fields, such as 0 18 * * 5",
            )
        if window.time_zone not in zoneinfo.available_timezones():
            yield (
                ("sync", "windows"),
                f"no time zone {window.time_zone}",
                "use a name such as Europe/Berlin",
            )


@_rule(
    "tracing/chart-collector",
    WARNING,
    "Traces that the chart's own collector never gets",
    "The chart names the exporter otlp, which means gRPC to Airflow 3.2, and port 4318, which "
    "speaks HTTP.",
)
def _traces(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    environment = release.environment
    tracing = environment.tracing
    if tracing.enabled and tracing.endpoint is None and since(environment, 3, 2):
        yield (
            ("tracing", "enabled"),
            "every trace is lost: exporter and port of the chart's collector do not fit",
            "set tracing.endpoint to a collector of yours",
        )


@_rule(
    "logging/needs-shipper",
    WARNING,
    "Logs that something else must carry to Elasticsearch",
    "Airflow 2 only prints them as JSON; without a log shipper the UI finds none.",
)
def _shipper(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    remote = release.environment.logging.remote
    if remote is not None and remote.type == "elasticsearch" and not release.environment.airflow_3:
        yield (
            ("logging", "remote", "type"),
            "a log shipper has to carry the pods' output to Elasticsearch",
            "run one (Fluent Bit, Filebeat), and suppress this",
        )


@_rule(
    "logging/wasb-connection",
    ERROR,
    "Azure logs without a connection",
    "Azure's hook takes account and credentials from an Airflow connection alone.",
)
def _wasb(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    remote = release.environment.logging.remote
    if remote is not None and remote.type == "wasb" and remote.connection_id is None:
        yield (
            ("logging", "remote"),
            "no log can be written: the account is known to nobody",
            "set logging.remote.connectionId, and give that connection as a secret",
        )


@_rule(
    "scaling/refresh-needs-gunicorn",
    INFO,
    "Renewing API server processes needs gunicorn in the image",
    "Airflow 3.2 renews processes only under gunicorn, and does not start when it is missing.",
)
def _refresh(release: Release) -> Iterator[tuple[tuple[str, ...], str, str]]:
    environment = release.environment
    if environment.api_server.worker_refresh is not None and since(environment, 3, 2):
        yield (
            ("apiServer", "workerRefresh"),
            "the image needs the package gunicorn",
            "add it to the image; without it the API server does not start",
        )
