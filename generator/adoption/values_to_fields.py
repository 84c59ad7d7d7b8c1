"""From chart values back to fields: what a definition could say of values that somebody wrote.

Only proposals: `fit` keeps those with which gen-env sets exactly what was set before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.adoption import service_accounts
from generator.core.layered import Path, leaves, lookup
from generator.helmvalues.values import ValuesInput

Proposal = tuple[Path, Any]
"""A field of the definition and its value."""

# Field ← chart key, one value each; the key counts when the user wrote it.
_SAME: tuple[tuple[str, str], ...] = (
    ("airflow.home", "airflowHome"),
    ("image.repository", "images.airflow.repository"),
    ("image.repository", "defaultAirflowRepository"),
    ("image.pullPolicy", "images.airflow.pullPolicy"),
    ("jobs.migrationsWaitTimeout", "images.migrationsWaitTimeout"),
    ("jobs.useDefaultImage", "images.useDefaultImageForMigration"),
    ("jobs.resources", "migrateDatabaseJob.resources"),
    ("security.uid", "uid"),
    ("security.gid", "gid"),
    ("revisionHistoryLimit", "revisionHistoryLimit"),
    ("labels", "labels"),
    ("rbac.create", "rbac.create"),
    ("rbac.allowPodLaunching", "allowPodLaunching"),
    ("rbac.multiNamespace", "multiNamespaceMode"),
    ("database.secretName", "data.metadataSecretName"),
    ("database.resultBackendSecretName", "data.resultBackendSecretName"),
    ("broker.secretName", "data.brokerUrlSecretName"),
    ("broker.passwordSecretName", "redis.passwordSecretName"),
    ("broker.storage", "redis.persistence.size"),
    ("broker.resources", "redis.resources"),
    ("keys.fernetKeySecretName", "fernetKeySecretName"),
    ("keys.apiSecretKeySecretName", "apiSecretKeySecretName"),
    ("keys.jwtSecretName", "jwtSecretName"),
    ("keys.webserverSecretKeySecretName", "webserverSecretKeySecretName"),
    ("placement.nodeSelector", "nodeSelector"),
    ("placement.tolerations", "tolerations"),
    ("triggerer.terminationGracePeriodSeconds", "triggerer.terminationGracePeriodSeconds"),
    ("triggerer.capacity", "config.triggerer.capacity"),
    ("triggerer.capacity", "config.triggerer.default_capacity"),
    ("workers.concurrency", "config.celery.worker_concurrency"),
    (
        "workers.terminationGracePeriodSeconds",
        "workers.celery.terminationGracePeriodSeconds",
    ),
    ("workers.persistence.size", "workers.celery.persistence.size"),
    ("workers.persistence.storageClassName", "workers.celery.persistence.storageClassName"),
    ("metrics.resources", "statsd.resources"),
    ("logging.level", "config.logging.logging_level"),
)
_TASKS = "workers.kubernetes.resources"
_POOL = (
    ("replicas", "replicas"),
    ("poolSize", "metadataPoolSize"),
    ("resultBackendPoolSize", "resultBackendPoolSize"),
    ("maxClientConnections", "maxClientConn"),
    ("sslMode", "sslmode"),
    ("secretName", "configSecretName"),
    ("statsSecretName", "metricsExporterSidecar.statsSecretName"),
)
_COMPONENT = ("replicas", "resources", "nodeSelector", "tolerations", "priorityClassName")
_SCHEMES = {"s3": "s3", "gs": "gcs", "wasb": "wasb"}
_ISSUERS = {
    "cert-manager.io/cluster-issuer": "clusterIssuer",
    "cert-manager.io/issuer": "issuer",
}


def proposals(values: ValuesInput) -> Iterator[Proposal]:
    """Fields for what the user wrote, the better known ones first."""
    for field, key in _SAME:
        if values.given(key):
            yield tuple(field.split(".")), _number(values.get(key))
    yield from _image(values)
    yield from service_accounts.proposals(values)
    yield from _scaling(values)
    yield from _components(values)
    # An older chart has one key for both: the workers' field, which task pods fall back to.
    if values.given(_TASKS):
        yield ("workers", "taskResources"), values.get(_TASKS)
    yield from _logging(values)
    yield from _metrics(values)
    yield from _ingress(values)
    yield from _gateway(values)
    yield from _cleanup(values)


def _number(value: Any) -> Any:
    """Counts stand as text in airflow.cfg."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,8}", value) else value


def options(values: ValuesInput) -> Iterator[Proposal]:
    """What the user wrote below `config`, option by option; templates stay chart values."""
    for path, value in leaves(values.user.get("config") or {}):
        text = option_text(value)
        if len(path) == 2 and text is not None and "{{" not in text:
            yield ("airflow", "config", *path), text


def option_text(value: Any) -> str | None:
    """What the chart writes into airflow.cfg for a value; None where that is not certain.

    Numbers reach Helm as floats: from a million on they come out with an exponent.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < 1_000_000 else None
    return value if isinstance(value, str) else None


def dags(values: ValuesInput, running_ref: str = "") -> dict[str, Any]:
    """`dags`: git-sync, a volume, or what the image holds.

    `running_ref` is what the rendered git-sync follows, whatever `ref` among the values says.
    """
    sync = "dags.gitSync"
    if values.on(f"{sync}.enabled") and values.text(f"{sync}.repo"):
        repository = values.text(f"{sync}.repo")
        ssh = repository.startswith("ssh://") or "://" not in repository
        secret = values.get(f"{sync}.{'sshKeySecret' if ssh else 'credentialsSecret'}")
        wanted = {
            "repository": repository,
            "ref": running_ref or values.get(f"{sync}.ref"),
            "subPath": values.get(f"{sync}.subPath"),
            "secretName": secret,
            "public": True if not ssh and secret is None else None,
            **{
                name: values.get(f"{sync}.{name}")
                for name in ("period", "depth", "maxFailures", "knownHosts", "resources")
                if values.given(f"{sync}.{name}")
            },
        }
        return {"gitSync": _some(wanted)}
    if values.on("dags.persistence.enabled"):
        return {"persistence": _volume(values, "dags.persistence", ("accessMode", "subPath"))}
    return {"image": {}}


def database(values: ValuesInput, host: str | None) -> dict[str, Any]:
    """`database`: the chart's own, or the server that the values name; `host` where they don't."""
    inline = "data.metadataConnection"
    known = host or values.text(f"{inline}.host")
    named = values.given("data.metadataSecretName")
    if not known and not named and values.on("postgresql.enabled"):
        return {"embedded": True}
    mysql = values.text(f"{inline}.protocol").startswith("mysql")
    written = {
        name: values.get(f"{inline}.{key}")
        for name, key in (("port", "port"), ("name", "db"), ("sslMode", "sslmode"))
        if values.given(f"{inline}.{key}") and not (mysql and name == "sslMode")
    }
    return _some({"type": "mysql" if mysql else None, "host": known or None, **written})


def broker(values: ValuesInput, host: str | None) -> dict[str, Any]:
    """`broker` of a release with Celery; nothing where the chart's own Redis runs."""
    if not values.celery or values.on("redis.enabled"):
        return {}
    return _some({"embedded": False, "host": host})


def _image(values: ValuesInput) -> Iterator[Proposal]:
    for key in ("images.airflow.tag", "defaultAirflowTag"):
        if not values.given(key):
            continue
        tag, _, digest = str(values.get(key)).partition("@")
        yield ("image", "tag"), tag
        if digest:
            yield ("image", "digest"), digest
    secrets = values.get("imagePullSecrets")
    if values.given("imagePullSecrets") and isinstance(secrets, list):
        names = [item.get("name") if isinstance(item, Mapping) else item for item in secrets]
        yield ("image", "pullSecrets"), names


def _components(values: ValuesInput) -> Iterator[Proposal]:
    server = "apiServer" if values.airflow3 else "webserver"
    for field, key in (
        ("apiServer", server),
        ("scheduler", "scheduler"),
        ("dagProcessor", "dagProcessor"),
        ("triggerer", "triggerer"),
        ("workers", "workers.celery"),
    ):
        for name in _COMPONENT:
            if values.given(f"{key}.{name}"):
                yield (field, name), values.get(f"{key}.{name}")
        if values.given(f"{key}.podAnnotations"):
            yield (field, "annotations"), values.get(f"{key}.podAnnotations")
        yield from _budget(values, field, key)
        groomer = f"{key}.logGroomerSidecar"
        for name in ("retentionDays", "resources"):
            if values.given(f"{groomer}.{name}"):
                yield (field, "logGroomer", name), values.get(f"{groomer}.{name}")
    if values.on("pgbouncer.enabled"):
        yield ("pgbouncer",), {}
        for name, below in _POOL:
            if values.given(f"pgbouncer.{below}"):
                yield ("pgbouncer", name), values.get(f"pgbouncer.{below}")
        for name in ("resources", "nodeSelector", "tolerations"):
            if values.given(f"pgbouncer.{name}"):
                yield ("pgbouncer", name), values.get(f"pgbouncer.{name}")


def _budget(values: ValuesInput, field: str, key: str) -> Iterator[Proposal]:
    if not values.on(f"{key}.podDisruptionBudget.enabled"):
        return
    config = values.table(f"{key}.podDisruptionBudget.config")
    for name in ("maxUnavailable", "minAvailable"):
        if config.get(name) is not None and len(config) == 1:
            yield (field, "disruptionBudget"), {name: str(config[name])}


def _scaling(values: ValuesInput) -> Iterator[Proposal]:
    for field, key in (("workers", "workers.celery"), ("triggerer", "triggerer")):
        keda = f"{key}.keda"
        if values.on(f"{keda}.enabled"):
            wanted = {
                "type": "keda",
                "minReplicas": values.get(f"{keda}.minReplicaCount"),
                "maxReplicas": values.get(f"{keda}.maxReplicaCount"),
                "pollingInterval": values.get(f"{keda}.pollingInterval"),
                "cooldownPeriod": values.get(f"{keda}.cooldownPeriod"),
            }
            yield (field, "autoscaling"), _some(wanted)
    server = "apiServer" if values.airflow3 else "webserver"
    for field, key in (("workers", "workers.celery"), ("apiServer", server)):
        hpa = f"{key}.hpa"
        if values.on(f"{hpa}.enabled") and not values.on(f"{key}.keda.enabled"):
            wanted = {
                "type": "hpa",
                "minReplicas": values.get(f"{hpa}.minReplicaCount"),
                "maxReplicas": values.get(f"{hpa}.maxReplicaCount"),
                "targetCpuPercent": _target(values.get(f"{hpa}.metrics")),
            }
            yield (field, "autoscaling"), _some(wanted)


def _target(metrics: Any) -> Any:
    """The CPU percentage, where that is the only metric."""
    if not isinstance(metrics, list) or len(metrics) != 1:
        return None
    return lookup(metrics[0], "resource.target.averageUtilization")


def _logging(values: ValuesInput) -> Iterator[Proposal]:
    place = "config.logging"
    url = values.text(f"{place}.remote_base_log_folder")
    kind = _SCHEMES.get(re.split(r"[-:]", url)[0])
    if values.given(f"{place}.remote_logging") and kind:
        wanted = {
            "type": kind,
            "url": url,
            "connectionId": values.get(f"{place}.remote_log_conn_id"),
            "deleteLocal": values.get(f"{place}.delete_local_logs"),
        }
        yield ("logging", "remote"), _some(wanted)
    for engine in ("elasticsearch", "opensearch"):
        if values.on(f"{engine}.enabled") and values.given(f"{engine}.secretName"):
            secret = values.get(f"{engine}.secretName")
            yield ("logging", "remote"), {"type": engine, "secretName": secret}
    if values.on("logs.persistence.enabled"):
        yield ("logging", "persistence"), _volume(values, "logs.persistence", ())


def _volume(values: ValuesInput, key: str, more: tuple[str, ...]) -> dict[str, Any]:
    claim = values.get(f"{key}.existingClaim")
    sized = () if claim else ("size", "storageClassName")
    names = (*sized, "existingClaim", *more)
    return _some({name: values.get(f"{key}.{name}") for name in names})


def _metrics(values: ValuesInput) -> Iterator[Proposal]:
    if values.on("otelCollector.metricsEnabled"):
        yield ("metrics", "type"), "otel"
    elif values.given("statsd.enabled") and not values.on("statsd.enabled"):
        place = [values.get(f"config.metrics.statsd_{part}") for part in ("host", "port")]
        if str(values.get("config.metrics.statsd_on")) == "True" and all(place):
            yield ("metrics", "endpoint"), f"{place[0]}:{place[1]}"
        else:
            yield ("metrics", "type"), "none"
    if values.on("otelCollector.tracesEnabled"):
        yield ("tracing", "enabled"), True


def _ingress(values: ValuesInput) -> Iterator[Proposal]:
    key = f"ingress.{'apiServer' if values.airflow3 else 'web'}"
    hosts = values.rows(f"{key}.hosts")
    secure = [lookup(host, "tls.enabled") is True for host in hosts]
    if not values.on(f"{key}.enabled") or not hosts or len(set(secure)) > 1:
        return
    wanted: dict[str, Any] = {"host": hosts[0].get("name")}
    if more := hosts[1:]:
        wanted["moreHosts"] = [
            _some({"host": host.get("name"), "secretName": lookup(host, "tls.secretName")})
            for host in more
        ]
    for name, below in (("path", "path"), ("className", "ingressClassName")):
        if values.given(f"{key}.{below}"):
            wanted[name] = values.get(f"{key}.{below}")
    annotations = dict(values.table(f"{key}.annotations"))
    if all(secure):
        issuers = {
            field: annotations.pop(name) for name, field in _ISSUERS.items() if name in annotations
        }
        wanted["tls"] = _some({"secretName": lookup(hosts[0], "tls.secretName"), **issuers})
    if values.given(f"{key}.annotations"):
        wanted["annotations"] = annotations
    yield ("ingress",), wanted


def _gateway(values: ValuesInput) -> Iterator[Proposal]:
    """The HTTPRoute of a chart that makes one; the address in airflow.cfg tells of TLS."""
    key = f"httpRoute.{'apiServer' if values.airflow3 else 'web'}"
    if not values.on(f"{key}.enabled"):
        return
    names = ("parentRefs", "hostnames", "path", "annotations")
    wanted = {name: values.get(f"{key}.{name}") for name in names if values.given(f"{key}.{name}")}
    section = "api" if values.airflow3 else "webserver"
    plain = values.text(f"config.{section}.base_url").startswith("http://")
    yield ("gateway",), _some({**wanted, "tls": False if plain else None})


def _cleanup(values: ValuesInput) -> Iterator[Proposal]:
    if values.on("cleanup.enabled") and values.kubernetes:
        yield ("cleanup", "pods"), _some({"schedule": values.get("cleanup.schedule")})
    if values.on("databaseCleanup.enabled"):
        names = ("schedule", "retentionDays", "skipArchive")
        wanted = {name: values.get(f"databaseCleanup.{name}") for name in names}
        yield ("cleanup", "database"), _some(wanted)


def _some(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value not in (None, "", {})}
