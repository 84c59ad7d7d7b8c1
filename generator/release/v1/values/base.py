"""Image, versions, identity of the processes, environment, airflow.cfg."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import authorities, broker
from generator.release.setting import PROMISE, Setting, put, put_joined, put_some
from generator.release.v1 import airflow_config
from generator.release.v1.go_template import literal
from generator.release.v1.values import config, secret_names


def settings(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    """Everything that holds for the release as a whole."""
    yield from _image(env)
    yield from _identity(env, cluster)
    yield from _config(env)
    yield from _environment(env)
    yield put("useStandardNaming", True)
    yield put("enableServiceLinks", False)
    yield put("revisionHistoryLimit", env.revision_history_limit, "revisionHistoryLimit")
    yield from put_some("labels", env.labels, "labels")
    yield put("networkPolicies.enabled", False, PROMISE)
    yield put("rbac.create", env.rbac.create, "rbac.create")
    yield put("allowPodLaunching", env.rbac.allow_pod_launching, "rbac.allowPodLaunching")
    yield put("multiNamespaceMode", env.rbac.multi_namespace, "rbac.multiNamespace")


def image_tag(env: Environment) -> str:
    """The tag, with the digest behind it: the only spelling that reaches task pods too."""
    return f"{env.image_tag}@{env.image.digest}" if env.image.digest else env.image_tag


def _image(env: Environment) -> Iterator[Setting]:
    tag = image_tag(env)
    field = "image.digest" if env.image.digest else "image.tag"
    yield put("airflowVersion", env.airflow.version, "airflow.version")
    # Everything falls back to these two: task pods and flower know no `images.airflow`.
    yield put("defaultAirflowRepository", env.image.repository, "image.repository")
    yield put("defaultAirflowTag", tag, field)
    yield put("images.airflow.repository", env.image.repository, "image.repository")
    yield put("images.airflow.tag", tag, field)
    yield put("images.airflow.pullPolicy", env.image.pull_policy, "image.pullPolicy")
    yield put("images.pod_template.pullPolicy", env.image.pull_policy, "image.pullPolicy")
    yield put(
        "images.migrationsWaitTimeout",
        env.jobs.migrations_wait_timeout,
        "jobs.migrationsWaitTimeout",
    )
    if env.jobs.use_default_image:
        yield put("images.useDefaultImageForMigration", True, "jobs.useDefaultImage")
    secrets = [{"name": secret} for secret in env.image.pull_secrets]
    yield from put_some("imagePullSecrets", secrets, "image.pullSecrets")


def guard(env: Environment) -> dict[str, str]:
    """Annotations of what is not removed without a person: Argo CD (3.1 and newer) asks before it
    prunes or deletes such an object, and Helm under Flux leaves it in the cluster."""
    if env.engine == "flux":
        return {"helm.sh/resource-policy": "keep"}
    return {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}


def _any_uid(env: Environment, cluster: Cluster) -> bool:
    return env.security.openshift or cluster.openshift


def pod_context(env: Environment, cluster: Cluster, uid: int | None) -> dict[str, Any]:
    """A pod's security context that the `restricted` level accepts; OpenShift assigns the uid."""
    if _any_uid(env, cluster) or uid is None:
        return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "runAsUser": uid,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_context(env: Environment) -> dict[str, Any]:
    """A container's security context; the chart replaces contexts whole, so all is said."""
    context: dict[str, Any] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
    }
    if env.security.read_only_root_filesystem:
        context["readOnlyRootFilesystem"] = True
    return context


def _identity(env: Environment, cluster: Cluster) -> Iterator[Setting]:
    if env.security.uid is not None:
        yield put("uid", env.security.uid, "security.uid")
    yield put("gid", env.security.gid, "security.gid")
    pod = pod_context(env, cluster, env.security.uid)
    if not _any_uid(env, cluster):
        pod["fsGroup"] = env.security.gid
    yield put("securityContexts.pod", pod, "security")
    yield put("securityContexts.containers", container_context(env), "security")


def _config(env: Environment) -> Iterator[Setting]:
    """airflow.cfg: what features decide, then what people wrote; always strings, never templates.

    The chart passes numbers through float64 (1000000 becomes 1e+06) and text through `tpl`.
    """
    for section, option, value, field in config.options(env):
        if option not in env.airflow.config.get(section, {}):
            yield Setting(("config", section, option), literal(value), field)
    for section, options in env.airflow.config.items():
        for option, value in options.items():
            field = f"airflow.config.{section}.{option}"
            yield Setting(("config", section, option), literal(value), field)


def _environment(env: Environment) -> Iterator[Setting]:
    variables = {
        **airflow_config.connection_check_env(env),
        **authorities.variables(env),
        **airflow_config.collector_env(env),
        **airflow_config.agent_env(env),
        **env.airflow.env,
    }
    listed = [{"name": key, "value": value} for key, value in sorted(variables.items())]
    yield put("env", listed, "airflow.env")
    yield from put_joined("extraEnv", airflow_config.node_env(env), "metrics.endpoint")
    if env.ca is not None:
        yield from put_joined("volumes", [authorities.volume(env.ca)], "ca")
        yield from put_joined("volumeMounts", [authorities.mount()], "ca")
    yield put("airflowHome", env.airflow.home, "airflow.home")
    yield put("executor", env.airflow.executor, "airflow.executor")
    yield from _secret_environment(env)


def _secret_environment(env: Environment) -> Iterator[Setting]:
    """Extra Secrets: whole ones by `extraEnvFrom`, single keys by `secret`."""
    whole = [name for name, extra in sorted(env.secrets.extra.items()) if extra.env_from]
    # A string of YAML is what the chart takes; it refuses a list.
    lines = "".join(f"- secretRef:\n    name: {name}\n" for name in whole)
    yield from put_joined("extraEnvFrom", lines, "secrets.extra")
    single = [
        {"envName": variable, "secretName": name, "secretKey": key}
        for name, extra in sorted(env.secrets.extra.items())
        for variable, key in sorted(extra.env.items())
    ]
    connections = airflow_config.bundle_connections(env.dags.bundles or ())
    single += [
        {
            "envName": airflow_config.connection_variable(connections[bundle.name]),
            "secretName": str(bundle.secret_name),
            "secretKey": "connection",
        }
        for bundle in env.dags.bundles or ()
        if bundle.name in connections
    ]
    single += [
        {"envName": variable, "secretName": name, "secretKey": "headers"}
        for variable, name in airflow_config.collector_headers(env).items()
    ]
    sentinel = env.broker.sentinel
    if sentinel is not None and sentinel.password:
        place = {"secretName": secret_names.broker(env), "secretKey": broker.KWARGS_KEY}
        single.append({"envName": broker.KWARGS_VARIABLE, **place})
    yield from put_some("secret", single, "secrets.extra")
