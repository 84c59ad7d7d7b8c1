"""Rules about DAGs, task logs and the database's connections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.core.rule import ERROR_IN_PRODUCTION, PRODUCTION_ONLY
from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, INFO, WARNING
from generator.release import database_connections
from generator.release.release import Release

_COMMIT = re.compile(r"[0-9a-f]{7,64}")

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "dags/bundles-need-airflow-3",
    ERROR,
    "DAG bundles on Airflow 2",
    "Airflow 2 does not know bundles: no DAG would be found.",
)
def _bundles(release: Release) -> Iterator[Place]:
    if release.environment.dags.bundles is not None and not release.environment.airflow_3:
        yield ("dags", "bundles"), "DAG bundles need Airflow 3", "use dags.gitSync"


@_rule(
    "dags/unpinned-ref",
    INFO,
    "DAGs follow a branch",
    "What runs changes with each push, outside of review and promotion of this repository.",
    PRODUCTION_ONLY,
)
def _unpinned(release: Release) -> Iterator[Place]:
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
def _dag_volume(release: Release) -> Iterator[Place]:
    volume = release.environment.dags.persistence
    nodes = release.resolved.cluster.nodes
    if volume is not None and volume.access_mode == "ReadWriteOnce" and nodes != 1:
        yield (
            ("dags", "persistence", "accessMode"),
            f"{volume.access_mode} cannot be mounted by pods on several nodes",
            "use ReadWriteMany or ReadOnlyMany, or write nodes: 1 in the cluster catalogue",
        )


@_rule(
    "logging/volume-access-mode",
    ERROR,
    "A log volume that not all pods can write",
    "The chart's own claim is always ReadWriteMany; pods without their log volume never start.",
)
def _log_volume(release: Release) -> Iterator[Place]:
    volume = release.environment.logging.persistence
    if volume is None or volume.access_mode == "ReadWriteMany":
        return
    path = ("logging", "persistence", "accessMode")
    if volume.existing_claim is None:
        yield (
            path,
            f"the chart makes a ReadWriteMany claim, never one of {volume.access_mode}",
            "make the claim yourself and name it with existingClaim, or remove accessMode",
        )
    elif volume.access_mode == "ReadOnlyMany":
        yield path, "no pod could write its logs", "use a claim of ReadWriteMany"
    elif release.resolved.cluster.nodes != 1:
        yield (
            path,
            f"{volume.access_mode} cannot be mounted by pods on several nodes",
            "use a claim of ReadWriteMany, or write nodes: 1 in the cluster catalogue",
        )


@_rule(
    "logging/needs-shipper",
    WARNING,
    "Logs that something else must carry to Elasticsearch",
    "Airflow 2 only prints them as JSON; without a log shipper the UI finds none.",
)
def _shipper(release: Release) -> Iterator[Place]:
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
def _wasb(release: Release) -> Iterator[Place]:
    remote = release.environment.logging.remote
    if remote is not None and remote.type == "wasb" and remote.connection_id is None:
        yield (
            ("logging", "remote"),
            "no log can be written: no component knows the account",
            "set logging.remote.connectionId, and give that connection as a secret",
        )


@_rule(
    "database/connections",
    WARNING,
    "More connections than the database allows",
    "The database refuses what is over its limit: pods crash at the busiest hour.",
    ERROR_IN_PRODUCTION,
)
def _connections(release: Release) -> Iterator[Place]:
    database = release.environment.database
    if database.max_connections is None:
        return
    total, how = _demand(release)
    if total > database.max_connections:
        yield (
            ("database", "maxConnections"),
            f"the replicas may open {total} connections ({how}), the server allows "
            f"{database.max_connections}",
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
    setup = database_connections.of_definition(environment)
    demands = [
        *database_connections.connections(setup),
        *database_connections.result_backend(setup),
    ]
    parts: dict[str, int] = {}
    for item in demands:
        count = replicas.get(item.component, 1) * item.per_pod
        parts[item.component] = parts.get(item.component, 0) + count
    return sum(parts.values()), ", ".join(f"{name} {count}" for name, count in parts.items())


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
