"""The components: how many, how big, where, how they are replaced and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.model import built_in
from generator.model.components import (
    Component,
    HpaAutoscaling,
    KedaAutoscaling,
    LogGroomer,
    Spread,
)
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release.setting import Setting, put, put_some, switch
from generator.release.v1 import webserver_config
from generator.release.v1.names import Names
from generator.release.v1.values.stores import resources

_SIDECAR = built_in.SIDECAR


def settings(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    """Every component that this environment runs."""
    yield from _placement(env)
    yield from _server(env)
    yield from _scheduler(env)
    yield from _dag_processor(env)
    yield from _triggerer(env, cluster)
    yield from _workers(env, cluster)
    yield from _pgbouncer(env)
    yield from _cleanup(env)
    if env.runs("CeleryExecutor") and env.broker.embedded:
        yield from put_some("redis.resources", resources(env.broker.resources), "broker.resources")


def _placement(env: Environment) -> Iterator[Setting]:
    place = env.placement
    yield from put_some("nodeSelector", place.node_selector, "placement.nodeSelector")
    yield from put_some("tolerations", _tolerations(place), "placement.tolerations")


def _tolerations(place: Any) -> list[dict[str, Any]] | None:
    if place.tolerations is None:
        return None
    return [
        item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in place.tolerations
    ]


def _common(
    env: Environment, part: Component, key: str, field: str, label: str
) -> Iterator[Setting]:
    yield from put_some(f"{key}.resources", resources(part.resources), f"{field}.resources")
    yield from _budget(part, key, field)
    yield from _strategy(part, key, field)
    yield from put_some(f"{key}.nodeSelector", part.node_selector, f"{field}.nodeSelector")
    yield from put_some(f"{key}.tolerations", _tolerations(part), f"{field}.tolerations")
    priority = part.priority_class_name or env.placement.priority_class_name
    yield from put_some(f"{key}.priorityClassName", priority, f"{field}.priorityClassName")
    spread = part.spread or env.placement.spread
    if spread is not None:
        yield put(
            f"{key}.topologySpreadConstraints", [_spread(env, spread, label)], f"{field}.spread"
        )
    yield from put_some(f"{key}.podAnnotations", part.annotations, f"{field}.annotations")


def _spread(env: Environment, spread: Spread, label: str) -> dict[str, Any]:
    labels = Names(env.release, env.namespace, "").labels(label)
    return {
        "maxSkew": spread.max_skew,
        "topologyKey": spread.topology_key,
        "whenUnsatisfiable": spread.when_unsatisfiable,
        "labelSelector": {"matchLabels": labels},
    }


def _budget(part: Component, key: str, field: str) -> Iterator[Setting]:
    budget = part.disruption_budget
    field = f"{field}.disruptionBudget"
    yield switch(f"{key}.podDisruptionBudget", field, on=budget is not None)
    if budget is None:
        return
    # Maps merge with the chart's default maxUnavailable: the other one must be null.
    config = {
        "maxUnavailable": _amount(budget.max_unavailable),
        "minAvailable": _amount(budget.min_available),
    }
    if budget.min_available is None:
        del config["minAvailable"]
    yield put(f"{key}.podDisruptionBudget.config", config, field)


def _amount(text: str | None) -> int | str | None:
    """`1` is a number, `25%` a text (IntOrString)."""
    return int(text) if text is not None and text.isdecimal() else text


def _strategy(part: Component, key: str, field: str) -> Iterator[Setting]:
    wanted = part.update_strategy
    if wanted is None:
        return
    rolling = {
        "maxSurge": _amount(wanted.max_surge),
        "maxUnavailable": _amount(wanted.max_unavailable),
    }
    rolling = {name: value for name, value in rolling.items() if value is not None}
    yield put(f"{key}.strategy.rollingUpdate", rolling, f"{field}.updateStrategy")


def _variables(part: Component, more: list[dict[str, Any]], key: str, field: str) -> list[Setting]:
    listed = [{"name": name, "value": value} for name, value in sorted(part.env.items())]
    return put_some(f"{key}.env", [*listed, *more], f"{field}.env")


def _server(env: Environment) -> Iterator[Setting]:
    part = env.api_server
    key = "apiServer" if env.airflow_3 else "webserver"
    yield from _common(env, part, key, "apiServer", "api-server" if env.airflow_3 else "webserver")
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": holder, "key": item}}}
        for name, holder, item in webserver_config.secret_env(env.auth, env.release)
    ]
    behind = any(way.proxied for way in env.entrances)
    proxied = env.airflow_3 and behind and part.proxy_headers
    if proxied:
        # uvicorn trusts these headers from the given addresses alone; policies guard the port.
        secret.append({"name": "FORWARDED_ALLOW_IPS", "value": "*"})
        yield put(
            "apiServer.args",
            ["bash", "-c", "exec airflow api-server --proxy-headers"],
            "apiServer.proxyHeaders",
        )
    yield from _variables(part, secret, key, "apiServer")
    yield put(f"{key}.startupProbe.failureThreshold", part.startup_probe_failures)
    if part.autoscaling is not None:
        yield from _hpa(part.autoscaling, key, "apiServer.autoscaling")
    else:
        yield put(f"{key}.replicas", part.replicas or 1, "apiServer.replicas")
        yield switch(f"{key}.hpa", "apiServer.autoscaling", on=False)
    config = webserver_config.webserver_config(env.auth, airflow_3=env.airflow_3)
    name = "apiServer.apiServerConfig" if env.airflow_3 else "webserver.webserverConfig"
    yield from put_some(name, config, "auth")


def _hpa(scaling: HpaAutoscaling, key: str, field: str) -> Iterator[Setting]:
    yield put(f"{key}.hpa.enabled", True, field)
    yield put(f"{key}.hpa.minReplicaCount", scaling.min_replicas, f"{field}.minReplicas")
    yield put(f"{key}.hpa.maxReplicaCount", scaling.max_replicas, f"{field}.maxReplicas")
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_percent}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    yield put(f"{key}.hpa.metrics", [metric], f"{field}.targetCpuPercent")


def _groomer(part: LogGroomer | None, key: str, field: str) -> Iterator[Setting]:
    groomer = part or LogGroomer()
    field = f"{field}.logGroomer"
    yield put(f"{key}.logGroomerSidecar.enabled", groomer.enabled, field)
    if groomer.enabled:
        yield put(
            f"{key}.logGroomerSidecar.retentionDays",
            groomer.retention_days,
            f"{field}.retentionDays",
        )
        size = resources(groomer.resources) or _SIDECAR
        yield put(f"{key}.logGroomerSidecar.resources", size, f"{field}.resources")


def _scheduler(env: Environment) -> Iterator[Setting]:
    part = env.scheduler
    yield from _common(env, part, "scheduler", "scheduler", "scheduler")
    yield from _variables(part, [], "scheduler", "scheduler")
    yield put("scheduler.replicas", part.replicas, "scheduler.replicas")
    yield put("scheduler.startupProbe.failureThreshold", part.startup_probe_failures)
    yield from _groomer(part.log_groomer, "scheduler", "scheduler")


def _dag_processor(env: Environment) -> Iterator[Setting]:
    part = env.dag_processor
    yield from _common(env, part, "dagProcessor", "dagProcessor", "dag-processor")
    yield from _variables(part, [], "dagProcessor", "dagProcessor")
    yield put("dagProcessor.enabled", True, "dagProcessor")
    yield put("dagProcessor.replicas", part.replicas, "dagProcessor.replicas")
    yield from _groomer(part.log_groomer, "dagProcessor", "dagProcessor")


def _triggerer(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    part = env.triggerer
    yield put("triggerer.enabled", part.replicas != 0, "triggerer.replicas")
    if part.replicas == 0:
        return
    yield from _common(env, part, "triggerer", "triggerer", "triggerer")
    yield from _variables(part, [], "triggerer", "triggerer")
    # A Deployment: a StatefulSet's volume can never change its size or class.
    yield put("triggerer.persistence.enabled", False)
    yield put(
        "triggerer.terminationGracePeriodSeconds",
        part.termination_grace_period_seconds,
        "triggerer.terminationGracePeriodSeconds",
    )
    yield from _groomer(part.log_groomer, "triggerer", "triggerer")
    if part.autoscaling is not None:
        yield from _keda(
            env,
            part.autoscaling,
            "triggerer",
            "triggerer.autoscaling",
            part.termination_grace_period_seconds,
            cluster,
        )
    else:
        yield put("triggerer.replicas", part.replicas or 1, "triggerer.replicas")
        yield switch("triggerer.keda", "triggerer.autoscaling", on=False)


def _keda(
    env: Environment, scaling: KedaAutoscaling, key: str, field: str, grace: int, cluster: Cluster
) -> Iterator[Setting]:
    yield put(f"{key}.keda.enabled", True, field)
    yield put(f"{key}.keda.minReplicaCount", scaling.min_replicas, f"{field}.minReplicas")
    yield put(f"{key}.keda.maxReplicaCount", scaling.max_replicas, f"{field}.maxReplicas")
    yield put(f"{key}.keda.pollingInterval", scaling.polling_interval, f"{field}.pollingInterval")
    # Longer than the grace period, so that a worker that drains is not counted out twice.
    cooldown = scaling.cooldown_period if scaling.cooldown_period is not None else grace + 60
    yield put(f"{key}.keda.cooldownPeriod", cooldown, f"{field}.cooldownPeriod")
    # Past PgBouncer: KEDA's prepared statements fail in transaction mode. Without one it says
    # nothing, and charts to 1.10 have no such key.
    yield put(f"{key}.keda.usePgbouncer", False, field if env.pgbouncer else "")
    labels = {"kubernetes.io/metadata.name": cluster.keda.namespace}
    yield put(f"{key}.keda.namespaceLabels", labels, field)


def _workers(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    part = env.workers
    persistent = part.persistence is not None and env.runs("CeleryExecutor")
    # Also decides whether a LocalExecutor's scheduler is a StatefulSet.
    yield switch("workers.celery.persistence", "workers.persistence", on=persistent)
    if env.runs("CeleryExecutor"):
        yield from _celery(env, cluster)
    if env.runs("KubernetesExecutor"):
        yield from _task_pods(env)


def _celery(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    part = env.workers
    key = "workers.celery"
    yield from _common(env, part, key, "workers", "worker")
    yield from _variables(part, [], key, "workers")
    grace = part.termination_grace_period_seconds
    yield put(
        f"{key}.terminationGracePeriodSeconds", grace, "workers.terminationGracePeriodSeconds"
    )
    if part.persistence is not None:
        yield put(f"{key}.persistence.size", part.persistence.size, "workers.persistence.size")
        yield from put_some(
            f"{key}.persistence.storageClassName",
            part.persistence.storage_class_name or cluster.storage_class,
            "workers.persistence.storageClassName",
        )
    yield from _groomer(part.log_groomer, key, "workers")
    yield put(f"{key}.logGroomerSidecar.requirePersistence", False)
    yield from _worker_scaling(env, cluster)


def _worker_scaling(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    part = env.workers
    key = "workers.celery"
    scaling = part.autoscaling
    keda = isinstance(scaling, KedaAutoscaling)
    hpa = isinstance(scaling, HpaAutoscaling)
    if isinstance(scaling, KedaAutoscaling):
        yield from _keda(
            env, scaling, key, "workers.autoscaling", part.termination_grace_period_seconds, cluster
        )
    if isinstance(scaling, HpaAutoscaling):
        yield from _hpa(scaling, key, "workers.autoscaling")
    for kind, used in (("keda", keda), ("hpa", hpa)):
        if scaling is None:
            yield switch(f"{key}.{kind}", "workers.autoscaling", on=False)
        elif not used:
            yield put(f"{key}.{kind}.enabled", False, "workers.autoscaling")
    if scaling is None:
        replicas = 1 if part.replicas is None else part.replicas
        yield put(f"{key}.replicas", replicas, "workers.replicas")


def _task_pods(env: Environment) -> Iterator[Setting]:
    part = env.workers
    key = "workers.kubernetes"
    size = resources(part.task_resources)
    field = "workers.taskResources" if size else "workers.resources"
    yield from put_some(f"{key}.resources", size or resources(part.resources), field)
    yield put(
        f"{key}.terminationGracePeriodSeconds",
        part.termination_grace_period_seconds,
        "workers.terminationGracePeriodSeconds",
    )
    yield from put_some(f"{key}.nodeSelector", part.node_selector, "workers.nodeSelector")
    yield from put_some(f"{key}.tolerations", _tolerations(part), "workers.tolerations")
    yield from put_some(f"{key}.env", [], "metrics.endpoint")
    # A node drain must not take a running task with it.
    yield put(f"{key}.safeToEvict", False)


def _pgbouncer(env: Environment) -> Iterator[Setting]:
    if env.pgbouncer is None:
        return
    yield from _common(env, env.pgbouncer, "pgbouncer", "pgbouncer", "pgbouncer")
    if env.pgbouncer.resources is None:
        yield put("pgbouncer.resources", _SIDECAR, "pgbouncer.resources")
    yield put("pgbouncer.metricsExporterSidecar.resources", _SIDECAR)
    yield from _variables(env.pgbouncer, [], "pgbouncer", "pgbouncer")


def _cleanup(env: Environment) -> Iterator[Setting]:
    pods, database = env.cleanup.pods, env.cleanup.database
    yield switch("cleanup", "cleanup.pods", on=pods is not None and env.runs("KubernetesExecutor"))
    yield switch("databaseCleanup", "cleanup.database", on=database is not None)
    size = resources(env.cleanup.resources)
    if pods is not None and env.runs("KubernetesExecutor"):
        yield put("cleanup.schedule", pods.schedule, "cleanup.pods.schedule")
        yield from put_some("cleanup.resources", size, "cleanup.resources")
    if database is not None:
        yield put("databaseCleanup.schedule", database.schedule, "cleanup.database.schedule")
        yield put(
            "databaseCleanup.retentionDays",
            database.retention_days,
            "cleanup.database.retentionDays",
        )
        yield put(
            "databaseCleanup.skipArchive", database.skip_archive, "cleanup.database.skipArchive"
        )
        yield from put_some("databaseCleanup.resources", size, "cleanup.resources")
