"""Whose chart a values file is written for: the official one, nested in another, or another's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Shape = Literal["official", "umbrella", "community", "bitnami"]
Publisher = Literal["official", "community", "bitnami", "", "other"]
"""Who made the chart of a repository; '' where the address tells nothing, as a mirror's."""

UMBRELLA_KEY = "airflow"

# Root keys of the official chart that neither of the others has.
_OFFICIAL = frozenset(
    {
        *("apiServer", "webserver", "images", "data", "createUserJob", "migrateDatabaseJob"),
        *("statsd", "dagProcessor", "airflowVersion", "defaultAirflowTag", "otelCollector"),
        *("defaultAirflowRepository", "fernetKeySecretName", "enableBuiltInSecretEnvVars"),
        *("networkPolicies", "useStandardNaming", "multiNamespaceMode", "airflowHome"),
    }
)
# Below `airflow:` other charts have these too; at the root only the official one does.
_AT_ROOT = _OFFICIAL | {
    *("executor", "config", "airflowVersion", "airflowConfigAnnotations", "webserverSecretKey"),
    *("apiSecretKeySecretName", "jwtSecretName", "webserverSecretKeySecretName"),
}
# Root keys that the official chart shares; below `airflow:` they speak for an umbrella chart.
_SHARED = frozenset(
    {
        *("scheduler", "workers", "triggerer", "dags", "ingress", "postgresql", "redis"),
        *("pgbouncer", "flower", "logs", "env", "secret", "extraEnv", "extraSecrets", "cleanup"),
        *("securityContexts", "nodeSelector", "tolerations", "rbac", "ports", "registry"),
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class OtherChart:
    """Another chart for Airflow: how to recognise it and where its users may go."""

    shape: Shape
    title: str
    certain: tuple[str, ...]
    likely: tuple[str, ...]
    hint: str


_MIGRATION = (
    "gen-env works with the official chart (airflow.apache.org/docs/helm-chart): write its "
    "values from scratch, and move the database, not the release; docs/other-charts.md of gen-env "
    "says which value goes where"
)
OTHERS = (
    OtherChart(
        "community",
        "the community's airflow-helm chart",
        (
            *("airflow.legacyCommands", "airflow.image", "airflow.extraPipPackages"),
            *("airflow.users", "airflow.usersTemplates", "airflow.connections"),
            *("airflow.connectionsTemplates", "airflow.variables", "airflow.pools"),
            *("airflow.kubernetesPodTemplate", "airflow.dbMigrations"),
            *("airflow.webserverSecretKey", "workers.logCleanup", "scheduler.logCleanup"),
            "workers.celery.gracefullTermination",
        ),
        ("airflow.executor", "airflow.config", "airflow.fernetKey", "web", "externalDatabase"),
        _MIGRATION,
    ),
    OtherChart(
        "bitnami",
        "Bitnami's chart",
        (
            *("auth.fernetKey", "auth.existingSecret", "dags.repositories", "git.dags"),
            *("image.registry", "dags.enabled", "dags.existingConfigmap", "diagnosticMode"),
            *("web.image", "worker.image", "initDynamicRoles"),
        ),
        (
            *("auth", "global.imageRegistry", "global.imagePullSecrets", "web", "worker"),
            *("externalDatabase", "externalRedis", "configuration", "loadExamples"),
            *("commonLabels", "ldap.enabled", "existingConfigmap", "image"),
        ),
        _MIGRATION,
    ),
)
# One likely key alone is often a leftover in official values; a certain one counts double.
_CERTAIN = 2
_ENOUGH = 2


_REPOSITORIES: tuple[tuple[str, Publisher], ...] = (
    ("airflow.apache.org", "official"),
    ("airflow-helm.github.io", "community"),
    ("github.com/airflow-helm", "community"),
    ("bitnami", "bitnami"),
)


def publisher(repository: str) -> Publisher:
    """Whose charts a Helm repository or OCI registry serves, as far as its address tells."""
    return next((name for part, name in _REPOSITORIES if part in repository.lower()), "")


def shape_of(values: Mapping[str, Any]) -> Shape:
    """The chart that a root mapping of values is for; official when nothing speaks against it."""
    if nested(values):
        return "umbrella"
    own = len(_OFFICIAL & set(values))
    score, shape = max(
        (_CERTAIN * _count(values, other.certain) + _count(values, other.likely), other.shape)
        for other in OTHERS
    )
    return shape if score >= _ENOUGH and score > own else "official"


def looks_official(values: Mapping[str, Any]) -> bool:
    """Whether keys that only the official chart has speak for it, at the root or one below."""
    inner = nested(values) or values
    return shape_of(inner) == "official" and bool(_AT_ROOT & set(inner))


def nested(values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The official values below `airflow:` of an umbrella chart, if that is what they are."""
    inner = values.get(UMBRELLA_KEY)
    if not isinstance(inner, Mapping) or (_AT_ROOT | _SHARED) & set(values):
        return None
    own = len((_OFFICIAL | _SHARED) & set(inner))
    foreign = _count(values, OTHERS[0].certain)
    return inner if own > foreign else None


def misplaced(values: Mapping[str, Any]) -> bool:
    """Whether a block `airflow:` stands beside root keys of the official chart.

    The chart's own keys at the root say that these are its root values; it reads no such block.
    """
    return isinstance(values.get(UMBRELLA_KEY), Mapping) and bool(_AT_ROOT & set(values))


def other_chart(shape: Shape) -> OtherChart | None:
    """The description of a chart that is not the official one."""
    return next((other for other in OTHERS if other.shape == shape), None)


def _count(values: Mapping[str, Any], paths: Iterable[str]) -> int:
    return sum(1 for path in paths if _has(values, path))


def _has(values: Any, path: str) -> bool:
    for key in path.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True
