"""Rules about choices of a definition that cannot work together."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.rule import Rule
from generator.lint.definition.rule import Find, Place
from generator.lint.rule import ERROR
from generator.release.release import Release

KEDA = Rule(
    "scaling/keda-needs-postgresql",
    ERROR,
    "KEDA beside MySQL",
    "The chart's trigger is KEDA's PostgreSQL scaler with a PostgreSQL query: nothing would scale.",
    "chart 1.22.0, rendered",
)
OPENSEARCH = Rule(
    "logging/opensearch-needs-airflow-3",
    ERROR,
    "Task logs in OpenSearch on Airflow 2",
    "Airflow 2 has no options for OpenSearch: no component would start.",
    "apache-airflow 2.11.0, airflow_local_settings.py",
)
LAUNCHING = Rule(
    "executor/may-not-launch",
    ERROR,
    "A Kubernetes executor that may start no pods",
    "Each task is a pod: without that right every task fails to start.",
    "chart 1.22.0, rbac/pod-launcher-role.yaml",
)


def _keda(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.database.type == "postgresql":
        return
    for name, part in (("workers", environment.workers), ("triggerer", environment.triggerer)):
        if part.autoscaling is not None and part.autoscaling.type == "keda":
            yield (
                (name, "autoscaling"),
                f"KEDA counts the work of {name} in PostgreSQL, and the database is"
                f" {environment.database.type}",
                "give replicas, for workers also autoscaling of type hpa, or use PostgreSQL",
            )


def _opensearch(release: Release) -> Iterator[Place]:
    environment = release.environment
    remote = environment.logging.remote
    if remote is not None and remote.type == "opensearch" and not environment.airflow_3:
        yield (
            ("logging", "remote", "type"),
            "task logs in OpenSearch need Airflow 3",
            "use elasticsearch or an object store",
        )


def _launching(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.runs("KubernetesExecutor") and not environment.rbac.allow_pod_launching:
        yield (
            ("rbac", "allowPodLaunching"),
            "KubernetesExecutor starts a pod for each task, and allowPodLaunching is false",
            "remove it, or use another executor",
        )


FOUND: tuple[tuple[Rule, Find], ...] = (
    (KEDA, _keda),
    (OPENSEARCH, _opensearch),
    (LAUNCHING, _launching),
)
"""Each rule and what finds it."""
