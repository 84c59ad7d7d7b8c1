"""DAGs, logs, metrics, ways in, cloud identities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.airflow import statsd_mapping
from generator.model import built_in
from generator.model.dags import GitSync
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import authorities
from generator.release.git_connection import uses_ssh
from generator.release.setting import PROMISE, Setting, put, put_joined, put_some, switch
from generator.release.v1 import airflow_config, otel_collector
from generator.release.v1.go_template import literal
from generator.release.v1.values import base, secret_names
from generator.release.v1.values.stores import resources

_SIDECAR = built_in.SIDECAR
_NOBODY = 65_534
_OTEL = 10_001
_GIT_SYNC = 65_533

# Cloud identity: what reads or writes logs, secrets and data. The worker's key depends on the
# executor; the chart ignores annotations of task pods unless their account is created.
_IDENTITY_PARTS = ("scheduler", "dagProcessor", "triggerer")


def settings(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    """Every feature around the components."""
    yield from _dags(env, cluster)
    yield from _logs(env, cluster)
    yield from _metrics(env, cluster)
    yield from _ingress(env, cluster)
    yield from _identities(env)


def _dags(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    dags = env.dags
    yield switch("dags.gitSync", "dags.gitSync", on=dags.git_sync is not None)
    yield switch("dags.persistence", "dags.persistence", on=dags.persistence is not None)
    # The chart warns of the old probes even where git-sync is off.
    yield put("dags.gitSync.recommendedProbeSetting", True)
    if dags.git_sync is not None:
        yield from _git_sync(env, dags.git_sync, cluster)
    if dags.persistence is not None:
        yield from _dag_volume(env, cluster)
    if dags.bundles is not None:
        listed = airflow_config.dag_bundles(env)
        yield put("dagProcessor.dagBundleConfigList", listed, "dags.bundles")


def _git_sync(env: Environment, sync: GitSync, cluster: Cluster) -> Iterator[Setting]:
    field = "dags.gitSync"
    key = "dags.gitSync"
    yield put(f"{key}.repo", sync.repository, f"{field}.repository")
    # `ref` is git-sync v4's word, `branch` and `rev` v3's; the chart renders both.
    yield put(f"{key}.ref", sync.ref, f"{field}.ref")
    yield put(f"{key}.branch", sync.ref, f"{field}.ref")
    yield put(f"{key}.subPath", sync.sub_path, f"{field}.subPath")
    yield put(f"{key}.period", sync.period, f"{field}.period")
    yield put(f"{key}.depth", sync.depth, f"{field}.depth")
    yield put(f"{key}.maxFailures", sync.max_failures, f"{field}.maxFailures")
    yield put(f"{key}.livenessProbe.enabled", True)
    yield put(f"{key}.resources", resources(sync.resources) or _SIDECAR, f"{field}.resources")
    context = base.container_context(env)
    if not base._any_uid(env, cluster):
        context = {"runAsUser": _GIT_SYNC, **context}
    yield put(f"{key}.securityContexts.container", context, "security")
    if env.trusts("git") and not uses_ssh(sync.repository):
        variable = {"name": authorities.GIT, "value": authorities.FILE}
        yield from put_joined(f"{key}.env", [variable], "ca")
        yield from put_joined(f"{key}.extraVolumeMounts", [authorities.mount()], "ca")
    if uses_ssh(sync.repository):
        yield put(f"{key}.sshKeySecret", secret_names.git(env), f"{field}.secretName")
        yield from put_some(f"{key}.knownHosts", sync.known_hosts, f"{field}.knownHosts")
    elif not sync.public:
        yield put(f"{key}.credentialsSecret", secret_names.git(env), f"{field}.secretName")


def _dag_volume(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    volume = env.dags.persistence
    assert volume is not None
    key = "dags.persistence"
    yield from put_some(f"{key}.existingClaim", volume.existing_claim, f"{key}.existingClaim")
    yield from put_some(f"{key}.subPath", volume.sub_path, f"{key}.subPath")
    yield put(f"{key}.accessMode", volume.access_mode, f"{key}.accessMode")
    if volume.existing_claim is None:
        yield put(f"{key}.size", volume.size, f"{key}.size")
        yield put(f"{key}.annotations", base.guard(env), PROMISE)
        storage = volume.storage_class_name or cluster.storage_class
        yield from put_some(f"{key}.storageClassName", storage, f"{key}.storageClassName")


def _logs(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    volume = env.logging.persistence
    key = "logs.persistence"
    yield switch(key, "logging.persistence", on=volume is not None)
    if volume is not None:
        field = "logging.persistence"
        if volume.existing_claim is not None:
            yield put(f"{key}.existingClaim", volume.existing_claim, f"{field}.existingClaim")
        else:
            yield put(f"{key}.size", volume.size, f"{field}.size")
            yield put(f"{key}.annotations", base.guard(env), PROMISE)
            storage = volume.storage_class_name or cluster.storage_class
            yield from put_some(f"{key}.storageClassName", storage, f"{field}.storageClassName")
    remote = env.logging.remote
    for engine in ("elasticsearch", "opensearch"):
        chosen = remote is not None and remote.type == engine
        idle = remote is None
        yield Setting((engine, "enabled"), chosen, "logging.remote.type", idle=idle)
        if chosen:
            yield put(f"{engine}.secretName", secret_names.logs(env), "logging.remote.secretName")


def _metrics(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    metrics, tracing = env.metrics, env.tracing
    own_metrics = metrics.type == "otel" and metrics.endpoint is None
    own_traces = tracing.enabled and tracing.endpoint is None
    size = resources(metrics.resources)
    exported = metrics.type == "statsd" and metrics.endpoint is None
    yield put("statsd.enabled", exported, "metrics.type")
    yield put("otelCollector.metricsEnabled", own_metrics, "metrics.type")
    yield put("otelCollector.tracesEnabled", own_traces, "tracing.enabled")
    if exported:
        yield from put_some("statsd.resources", size, "metrics.resources")
        # Series of finished DAGs would otherwise stay for ever.
        yield put("statsd.cache.ttl", "15m")
        if metrics.labelled:
            field = "metrics.alerts" if metrics.alerts else "metrics.dashboards"
            yield put("statsd.overrideMappings", statsd_mapping.mappings(), field)
            # With an annotation of any kind the chart adds one that changes with the mappings.
            yield put("statsd.podAnnotations", {"gen-env.dev/mappings": "labels"}, field)
        yield put(
            "statsd.securityContexts.pod", base.pod_context(env, cluster, _NOBODY), "security"
        )
        yield put("statsd.securityContexts.container", base.container_context(env), "security")
    if own_metrics or own_traces:
        yield from put_some("otelCollector.resources", size, "metrics.resources")
        yield put(
            "otelCollector.securityContexts.pod", base.pod_context(env, cluster, _OTEL), "security"
        )
        yield put(
            "otelCollector.securityContexts.container", base.container_context(env), "security"
        )
        # A mere default: `values` may say itself where everything goes.
        if metrics.service_monitor:
            text = otel_collector.configuration(metrics=own_metrics, traces=own_traces)
            yield put("otelCollector.config", text)


def _ingress(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    ingress = env.ingress
    key = "ingress.apiServer" if env.airflow_3 else "ingress.web"
    yield switch(key, "ingress", on=ingress is not None)
    if ingress is None:
        return
    hosts: list[dict[str, Any]] = [{"name": name} for name in ingress.hosts]
    annotations = dict(ingress.annotations)
    if ingress.tls is not None:
        for host, name in zip(hosts, secret_names.all_tls(env), strict=True):
            host["tls"] = {"enabled": True, "secretName": name}
        if ingress.tls.cluster_issuer:
            annotations["cert-manager.io/cluster-issuer"] = ingress.tls.cluster_issuer
        elif ingress.tls.issuer:
            annotations["cert-manager.io/issuer"] = ingress.tls.issuer
    yield put(f"{key}.hosts", hosts, "ingress.moreHosts" if ingress.more_hosts else "ingress.host")
    yield put(f"{key}.path", ingress.path, "ingress.path")
    yield put(f"{key}.pathType", "Prefix")
    escaped = {name: literal(value) for name, value in annotations.items()}
    yield from put_some(f"{key}.annotations", escaped, "ingress.annotations")
    class_name = ingress.class_name or cluster.ingress.class_name
    yield from put_some(f"{key}.ingressClassName", class_name, "ingress.className")


def http_route(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    """The HTTPRoute by the keys of charts that make one; nothing without `gateway`."""
    gateway = env.gateway
    if gateway is None:
        return
    key = "httpRoute.apiServer" if env.airflow_3 else "httpRoute.web"
    parents = [
        item.model_dump(by_alias=True, exclude_none=True)
        for item in gateway.parent_refs or cluster.gateway.parent_refs
    ]
    yield put(f"{key}.enabled", True, "gateway")
    yield put(f"{key}.parentRefs", parents, "gateway.parentRefs")
    yield put(f"{key}.hostnames", list(gateway.hostnames), "gateway.hostnames")
    yield put(f"{key}.path", gateway.path, "gateway.path")
    yield put(f"{key}.pathType", "PathPrefix", "gateway")
    yield from put_some(f"{key}.annotations", dict(gateway.annotations), "gateway.annotations")


def _identities(env: Environment) -> Iterator[Setting]:
    shared = {name: literal(value) for name, value in env.service_account.annotations.items()}
    tasks = {
        **shared,
        **{name: literal(value) for name, value in env.service_account.workers.items()},
    }
    server = "apiServer" if env.airflow_3 else "webserver"
    running_tasks = {"triggerer"} | ({"scheduler"} if env.runs("LocalExecutor") else set())
    for part in (server, *_IDENTITY_PARTS):
        wanted = tasks if part in running_tasks else shared
        yield from put_some(
            f"{part}.serviceAccount.annotations", wanted, "serviceAccount.annotations"
        )
    if not tasks:
        return
    if env.runs("CeleryExecutor"):
        yield put("workers.celery.serviceAccount.annotations", tasks, "serviceAccount.workers")
    if env.runs("KubernetesExecutor"):
        yield put("workers.kubernetes.serviceAccount.create", True, "serviceAccount.workers")
        yield put("workers.kubernetes.serviceAccount.annotations", tasks, "serviceAccount.workers")
    for job in ("migrateDatabaseJob", "databaseCleanup"):
        yield from put_some(
            f"{job}.serviceAccount.annotations", shared, "serviceAccount.annotations"
        )
