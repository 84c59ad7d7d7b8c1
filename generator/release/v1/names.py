"""What the chart calls its objects: names, labels, ports (chart 1.x, `_helpers.yaml`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup

PORTS = {
    "api-server": 8080,
    "webserver": 8080,
    "worker-logs": 8793,
    "triggerer-logs": 8794,
    "statsd-ingest": 9125,
    "statsd-scrape": 9102,
    "otlp-grpc": 4317,
    "otlp-http": 4318,
    "otel-metrics": 8889,
    "otel-telemetry": 8888,
    "redis": 6379,
    "pgbouncer": 6543,
    "pgbouncer-scrape": 9127,
    "flower": 5555,
    "postgresql": 5432,
}
"""The chart's `ports.*` defaults. They are only half wired, so gen-env leaves them alone.

The collector's ports for Prometheus are those of the configuration that gen-env gives it.
"""

KINDS = (
    *(("", kind) for kind in ("ConfigMap", "LimitRange", "PersistentVolumeClaim")),
    *(("", kind) for kind in ("ResourceQuota", "Secret", "Service", "ServiceAccount")),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("keda.sh", "ScaledObject"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""API group and kind of what the chart's templates make in the namespace."""

CLUSTER_KINDS = (
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
)
"""What they make beyond it, with `multiNamespaceMode`."""


JOB_PARTS = (
    "run-airflow-migrations",
    "create-user-job",
    "airflow-cleanup-pods",
    "database-cleanup",
)
"""`component` labels of the pods of jobs and cron jobs."""

VALUES_KEY = {
    "api-server": "apiServer",
    "webserver": "webserver",
    "scheduler": "scheduler",
    "dag-processor": "dagProcessor",
    "triggerer": "triggerer",
    "worker": "workers.celery",
    "redis": "redis",
    "pgbouncer": "pgbouncer",
    "statsd": "statsd",
    "otel-collector": "otelCollector",
    "flower": "flower",
}
"""Component label → the values key below which its settings stand."""


@dataclasses.dataclass(frozen=True, slots=True)
class Names:
    """Object names of one release in one namespace."""

    release: str
    namespace: str
    full: str

    @classmethod
    def of(cls, values: Mapping[str, Any], release: str, namespace: str) -> Names:
        """From merged values: `useStandardNaming` decides which rule holds."""
        full = release
        if lookup(values, "useStandardNaming") is True:
            chart = str(lookup(values, "nameOverride") or "airflow")
            natural = release if chart in release else f"{release}-{chart}"
            full = str(lookup(values, "fullnameOverride") or natural)
        return cls(release, namespace, full)

    def of_part(self, component: str) -> str:
        """Deployment, StatefulSet or Service of a component."""
        return f"{self.full}-{component}"

    @property
    def postgresql(self) -> str:
        """Service and StatefulSet of the bundled PostgreSQL, which names itself."""
        return f"{self.release}-postgresql"

    def labels(self, component: str) -> dict[str, str]:
        """Labels that select a component's pods, and its Service."""
        if component == "postgresql":
            return {
                "app.kubernetes.io/component": "primary",
                "app.kubernetes.io/instance": self.release,
                "app.kubernetes.io/name": "postgresql",
            }
        return {"component": component, "release": self.release, "tier": "airflow"}
