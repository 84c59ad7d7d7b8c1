"""Database, PgBouncer, broker, keys, and the jobs that prepare the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.model.components import Resources
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release.setting import PROMISE, Setting, put, put_some, switch
from generator.release.v1.go_template import literal
from generator.release.v1.values import base, secret_names

_NOBODY = 65_534
_REDIS = 999
_NULL_USER = "1.8.0"
"""The chart that sets `postgresql.auth.username` to null: its subchart then asks for the password
of a second user."""
_HOOK = {
    "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
}


def settings(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    """Every store by the name of its Secret; nothing is left for the chart to make up."""
    yield from _database(env, cluster)
    yield from _pgbouncer(env, cluster)
    yield from _broker(env, cluster)
    yield from _keys(env)
    yield from _jobs(env)


def resources(part: Resources | None) -> dict[str, Any] | None:
    """Requests and limits as Kubernetes writes them, without what is not set."""
    if part is None:
        return None
    return part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def _database(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    database = env.database
    yield put("data.metadataSecretName", secret_names.database(env), "database.secretName")
    yield put("postgresql.enabled", database.embedded, "database.embedded")
    if database.type == "postgresql" and database.embedded:
        yield put(
            "postgresql.auth.existingSecret", secret_names.postgresql(env), "database.embedded"
        )
        if env.chart.version == _NULL_USER:
            yield put("postgresql.auth.username", "", "database.embedded")
        storage = {"size": database.storage, "annotations": base.guard(env)}
        if cluster.storage_class:
            storage["storageClass"] = cluster.storage_class
        yield put("postgresql.primary.persistence", storage, "database.storage")
        yield put("postgresql.primary.annotations", base.guard(env), PROMISE)
        limits = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
        yield put("postgresql.primary.resources", limits)
        if base._any_uid(env, cluster):
            # The pod's own context is its fsGroup alone; of the container's only the uid goes.
            yield put("postgresql.primary.podSecurityContext.enabled", False, "security.openshift")
            yield put(
                "postgresql.primary.containerSecurityContext.runAsUser", None, "security.openshift"
            )
    if env.runs("CeleryExecutor"):
        secret = secret_names.result_backend(env)
        yield put("data.resultBackendSecretName", secret, "database.resultBackendSecretName")


def _pgbouncer(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    pool = env.pgbouncer
    yield put("pgbouncer.enabled", pool is not None, "pgbouncer")
    if pool is None:
        return
    config = secret_names.name(env, pool.secret_name, "pgbouncer-config")
    stats = secret_names.name(env, pool.stats_secret_name, "pgbouncer-stats")
    yield put("pgbouncer.replicas", pool.replicas, "pgbouncer.replicas")
    yield put("pgbouncer.configSecretName", config, "pgbouncer.secretName")
    yield put(
        "pgbouncer.metricsExporterSidecar.statsSecretName", stats, "pgbouncer.statsSecretName"
    )
    # Only documentation once the ini file comes by Secret; checks and people still read them.
    yield put("pgbouncer.metadataPoolSize", pool.pool_size, "pgbouncer.poolSize")
    yield put(
        "pgbouncer.resultBackendPoolSize",
        pool.result_backend_pool_size,
        "pgbouncer.resultBackendPoolSize",
    )
    yield put(
        "pgbouncer.maxClientConn", pool.max_client_connections, "pgbouncer.maxClientConnections"
    )
    yield put("pgbouncer.sslmode", env.pool_ssl_mode, "pgbouncer.sslMode")
    yield put("pgbouncer.securityContexts.pod", base.pod_context(env, cluster, _NOBODY), "security")
    context = base.container_context(env)
    yield put("pgbouncer.securityContexts.container", context, "security")
    yield put("pgbouncer.metricsExporterSidecar.securityContexts.container", context, "security")
    # The grace period is Kubernetes' 30 s and cannot be set: the chart's sleep of 120 never ends.
    stop = ["/bin/sh", "-c", "killall -INT pgbouncer && sleep 25"]
    yield put("pgbouncer.containerLifecycleHooks.preStop.exec.command", stop)


def _broker(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    broker = env.broker
    celery = env.runs("CeleryExecutor")
    yield put("redis.enabled", celery and broker.embedded, "broker.embedded")
    # Named even without Celery: otherwise the chart renders a Secret with a random password.
    yield put("data.brokerUrlSecretName", secret_names.broker(env), "broker.secretName")
    if not (celery and broker.embedded):
        return
    yield put(
        "redis.passwordSecretName", secret_names.redis_password(env), "broker.passwordSecretName"
    )
    yield put("redis.annotations", base.guard(env), PROMISE)
    yield put("redis.persistence.enabled", broker.storage is not None, "broker.storage")
    if broker.storage:
        yield put("redis.persistence.size", broker.storage, "broker.storage")
        yield put("redis.persistence.annotations", base.guard(env), PROMISE)
        yield from put_some(
            "redis.persistence.storageClassName", cluster.storage_class, "broker.storage"
        )
    context = base.pod_context(env, cluster, _REDIS)
    if "runAsUser" in context:
        context |= {"runAsGroup": _REDIS, "fsGroup": _REDIS}
    yield put("redis.securityContexts.pod", context, "security")
    yield put("redis.securityContexts.container", base.container_context(env), "security")


def _keys(env: Environment) -> Iterator[Setting]:
    keys = env.keys
    fernet = secret_names.name(env, keys.fernet_key_secret_name, "fernet-key")
    yield put("fernetKeySecretName", fernet, "keys.fernetKeySecretName")
    if env.airflow_3:
        api = secret_names.name(env, keys.api_secret_key_secret_name, "api-secret-key")
        jwt = secret_names.name(env, keys.jwt_secret_name, "jwt-secret")
        yield put("apiSecretKeySecretName", api, "keys.apiSecretKeySecretName")
        yield put("jwtSecretName", jwt, "keys.jwtSecretName")
    else:
        web = secret_names.name(env, keys.webserver_secret_key_secret_name, "webserver-secret-key")
        yield put("webserverSecretKeySecretName", web, "keys.webserverSecretKeySecretName")


def _jobs(env: Environment) -> Iterator[Setting]:
    """As hooks, as a plain Job is immutable; without TTL, which would hide its end.

    Under Argo CD they are hooks of its Sync phase. Under Flux they stay the chart's Helm hooks,
    for which the HelmRelease does not wait for pods: these wait for the migration.
    """
    helm = env.engine == "flux"
    for job, phase in (("migrateDatabaseJob", "Sync"), ("createUserJob", "PostSync")):
        hook = {} if helm else {"argocd.argoproj.io/hook": phase, **_HOOK}
        yield put(f"{job}.useHelmHooks", helm, PROMISE)
        yield put(f"{job}.ttlSecondsAfterFinished", None, PROMISE)
        yield put(f"{job}.jobAnnotations", hook, PROMISE)
        yield put(f"{job}.applyCustomEnv", True, PROMISE)
        yield from put_some(f"{job}.resources", resources(env.jobs.resources), "jobs.resources")
    yield put("migrateDatabaseJob.enabled", True, PROMISE)
    user = env.auth.default_user
    yield switch("createUserJob", "auth.defaultUser", on=user is not None)
    if user is None:
        return
    words = [
        "exec airflow users create",
        f"--role {_quoted(user.role)} --username {_quoted(user.username)}",
        f"--email {_quoted(user.email)} --firstname Airflow --lastname User",
        '--password "$AIRFLOW_ADMIN_PASSWORD"',
    ]
    yield put("createUserJob.args", ["bash", "-c", literal(" ".join(words))], "auth.defaultUser")
    reference = {"secretKeyRef": {"name": secret_names.admin(env), "key": "password"}}
    variables = [{"name": "AIRFLOW_ADMIN_PASSWORD", "valueFrom": reference}]
    yield put("createUserJob.env", variables, "auth.defaultUser")


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
