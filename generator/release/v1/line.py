"""Chart 1.22: from an environment to chart values, and back to what those values will run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import lookup
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import backup_names
from generator.release.chart_line import ChartLine
from generator.release.setting import PROMISE, Key, Setting, nest, overlay
from generator.release.topology import Topology
from generator.release.v1.airflow_options import mail_port
from generator.release.v1.deprecated import OLD_KEYS
from generator.release.v1.names import CLUSTER_KINDS, KINDS, VALUES_KEY, Names
from generator.release.v1.nondeterminism import PINS
from generator.release.v1.otel_collector import ends_in_log, scraped
from generator.release.v1.secrets import needs
from generator.release.v1.topology import flows, read, server_port, workloads
from generator.release.v1.values import base, components, features, secret_names, stores

# Where a field's keys are, set or not; hints speak of the field: key prefix → field.
_PLACES: Mapping[str, str] = {
    "airflowVersion": "airflow.version",
    "airflowHome": "airflow.home",
    "allowPodLaunching": "rbac.allowPodLaunching",
    "apiSecretKey": "keys.apiSecretKeySecretName",
    "apiServer.apiServerConfig": "auth",
    "apiServer.hpa": "apiServer.autoscaling",
    "apiServer.replicas": "apiServer.replicas",
    "apiServer.resources": "apiServer.resources",
    "apiServer.topologySpreadConstraints": "apiServer.spread",
    "cleanup.enabled": "cleanup.pods",
    "createUserJob.defaultUser": "auth.defaultUser",
    "createUserJob.enabled": "auth.defaultUser",
    "dagProcessor.dagBundleConfigList": "dags.bundles",
    "dagProcessor.replicas": "dagProcessor.replicas",
    "dagProcessor.resources": "dagProcessor.resources",
    "dags.gitSync": "dags.gitSync",
    "dags.persistence": "dags.persistence",
    "data": "database",
    "databaseCleanup.enabled": "cleanup.database",
    "defaultAirflowDigest": "image.digest",
    "elasticsearch": "logging.remote",
    "env": "airflow.env",
    "executor": "airflow.executor",
    "extraEnvFrom": "secrets.extra",
    "fernetKey": "keys.fernetKeySecretName",
    "fernetKeySecretName": "keys.fernetKeySecretName",
    "images.airflow": "image",
    "imagePullSecrets": "image.pullSecrets",
    "ingress.apiServer": "ingress",
    "ingress.web": "ingress",
    "jwtSecret": "keys.jwtSecretName",
    "limits": "limits",
    "logs.persistence": "logging.persistence",
    "networkPolicies": "networkPolicy",
    "opensearch": "logging.remote",
    "pgbouncer.enabled": "pgbouncer",
    "pgbouncer.configSecretName": "pgbouncer.secretName",
    "postgresql.enabled": "database.embedded",
    "postgresql.auth": "database.embedded",
    "quotas": "quota",
    "rbac.create": "rbac.create",
    "redis.enabled": "broker.embedded",
    "redis.password": "broker.passwordSecretName",
    "redis.persistence": "broker.storage",
    "registry": "image.pullSecrets",
    "scheduler.replicas": "scheduler.replicas",
    "scheduler.resources": "scheduler.resources",
    "secret": "secrets.extra",
    "securityContext": "security",
    "securityContexts": "security",
    "statsd.enabled": "metrics.type",
    "triggerer.keda": "triggerer.autoscaling",
    "triggerer.replicas": "triggerer.replicas",
    "triggerer.resources": "triggerer.resources",
    "webserver.defaultUser": "auth.defaultUser",
    "webserverSecretKey": "keys.webserverSecretKeySecretName",
    "workers.celery.hpa": "workers.autoscaling",
    "workers.celery.keda": "workers.autoscaling",
    "workers.celery.replicas": "workers.replicas",
    "workers.celery.resources": "workers.resources",
    "workers.celery.terminationGracePeriodSeconds": "workers.terminationGracePeriodSeconds",
    "workers.keda": "workers.autoscaling",
    "workers.replicas": "workers.replicas",
}


# Other keys for what a field says; closed while it is in use.
_OTHER_WAYS: Mapping[str, str] = {
    "apiSecretKey": "keys.apiSecretKeySecretName",
    "createUserJob.defaultUser": "auth.defaultUser",
    "dags.gitSync.credentialsSecret": "dags.gitSync",
    "dags.gitSync.knownHosts": "dags.gitSync",
    "dags.gitSync.rev": "dags.gitSync",
    "dags.gitSync.sshKey": "dags.gitSync",
    "dags.gitSync.sshKeySecret": "dags.gitSync",
    "dags.gitSync.wait": "dags.gitSync",
    "data": "database",
    "defaultAirflowDigest": "image",
    "elasticsearch": "logging.remote",
    "fernetKey": "keys.fernetKeySecretName",
    "images.airflow": "image",
    "ingress.apiServer.host": "ingress",
    "ingress.apiServer.tls": "ingress",
    "ingress.web": "ingress",
    "jwtSecret": "keys.jwtSecretName",
    "opensearch": "logging.remote",
    "postgresql.auth": "database.embedded",
    "redis.password": "broker.passwordSecretName",
    "registry": "image.pullSecrets",
    "securityContext": "security",
    "webserver.defaultUser": "auth.defaultUser",
    "webserverSecretKey": "keys.webserverSecretKeySecretName",
    "workers.hpa": "workers.autoscaling",
    "workers.keda": "workers.autoscaling",
    "workers.replicas": "workers.replicas",
}


_LISTS = (
    ("extraEnv",),
    ("extraEnvFrom",),
    ("volumes",),
    ("volumeMounts",),
    ("dags", "gitSync", "env"),
    ("dags", "gitSync", "extraVolumeMounts"),
)


def _settings(environment: Environment, cluster: Cluster) -> list[Setting]:
    """Every chart value that the environment decides, `values:` not yet merged."""
    found: Iterator[Setting]
    result: list[Setting] = []
    for module in (base, stores, components, features):
        found = module.settings(environment, cluster)
        result += found
    return result


def _owner(key: Key, decided: Mapping[Key, str]) -> str | None:
    """The field that a key of the chart belongs to, in use or not, or None."""
    for prefix in _prefixes(key):
        if field := decided.get(prefix) or _PLACES.get(".".join(prefix)):
            return field
    return None


def _closed(key: Key, decided: Mapping[Key, str]) -> str | None:
    """The field in use that closes a key of `values:`, or None when it is free.

    `decided` are this environment's firm settings with their fields; a key owns everything below
    it, and a key above an owned one may not replace it with a scalar or a list.
    """
    for prefix in _prefixes(key):
        if field := decided.get(prefix):
            return field
        field = _OTHER_WAYS.get(".".join(prefix))
        if field and any(f"{used}.".startswith(f"{field}.") for used in decided.values()):
            return field
    return None


def _prefixes(key: Key) -> Iterator[Key]:
    """The key, and all that it is below, longest first."""
    return (key[:length] for length in range(len(key), 0, -1))


def _decided(found: list[Setting]) -> dict[Key, str]:
    """Key → field of every setting that a field or a promise owns."""
    return {setting.key: setting.field for setting in found if setting.field}


def _merged(environment: Environment, found: list[Setting]) -> dict[str, Any]:
    """The settings with `values:` over them, as Helm merges."""
    soft = nest(setting for setting in found if not setting.firm)
    firm = nest(setting for setting in found if setting.firm)
    overlay(soft, environment.values)
    overlay(soft, firm)
    overlay(soft, nest(_joined(environment.values, found)))
    return soft


def _joined(written: Mapping[str, Any], found: list[Setting]) -> Iterator[Setting]:
    """Lists, and variables as text: those of fields, then those of `values:`."""
    for setting in found:
        more = lookup(written, setting.key)
        if setting.key not in _LISTS or not isinstance(more, type(setting.value)):
            continue
        first = f"{setting.value.rstrip()}\n" if isinstance(more, str) else setting.value
        yield dataclasses.replace(setting, value=first + more)


def _topology(
    values: Mapping[str, Any], older: frozenset[str], environment: Environment
) -> Topology:
    """What runs with these merged values, and beside the chart: backups, and other ways in."""
    found = read(values, environment.release, environment.namespace, older)
    ways = tuple(way.field for way in environment.entrances if way.field != "ingress")
    backup = backup_names.jobs(environment)
    parts = (*found.parts, *(backup.parts if backup else ()))
    return dataclasses.replace(found, entrances=ways, backup=backup, parts=parts)


def _restart_annotations(
    top: Topology, annotations: Mapping[str, Mapping[str, str]]
) -> list[Setting]:
    """Pod annotations of single components, below `<component>.podAnnotations`."""
    keys = {**VALUES_KEY, "postgresql": "postgresql.primary"}
    return [
        Setting((*keys[part].split("."), "podAnnotations", name), value, PROMISE)
        for part, wanted in sorted(annotations.items())
        if top.has(part)
        for name, value in sorted(wanted.items())
    ]


LINE = ChartLine(
    versions=("1.22.",),
    settings=_settings,
    http_route=features.http_route,
    decided=_decided,
    owner=_owner,
    closed=_closed,
    merged=_merged,
    topology=_topology,
    names=Names.of,
    workloads=workloads,
    flows=flows,
    server_port=server_port,
    needs=needs,
    restart_annotations=_restart_annotations,
    tls_secrets=secret_names.all_tls,
    scraped=scraped,
    mail_port=mail_port,
    ends_in_log=ends_in_log,
    kinds=KINDS,
    cluster_kinds=CLUSTER_KINDS,
    pins=PINS,
    old_keys=OLD_KEYS,
)
