"""Checks of identities, security contexts and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, dotted
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check
from generator.lint.values.dags import syncing

# Their templates read neither securityContexts.pod nor .containers of the root.
_OUT_OF_REACH = ("redis", "statsd", "pgbouncer", "otelCollector")


def _contexts(values: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if not isinstance(values, Mapping):
        return
    for key, item in values.items():
        if key == "securityContexts" and isinstance(item, Mapping):
            yield (*path, key), item
        else:
            yield from _contexts(item, (*path, key))


@check(
    "security/context-replaced",
    WARNING,
    "A container context without the default's protection",
    why="A custom context replaces the chart's default, allowPrivilegeEscalation: false and "
    "capabilities.drop: [ALL], instead of adding to it.",
)
def context_replaced(values: ValuesInput) -> Iterator[Finding]:
    """`container` or the root's `containers` without both protections."""
    for path, contexts in _contexts(values.user):
        names = ("containers", "container") if len(path) == 1 else ("container",)
        for name in names:
            context = contexts.get(name)
            if isinstance(context, Mapping) and context and not _protected(context):
                yield Finding(
                    (*path, name),
                    "containers may gain privileges again: this replaces the chart's safe default",
                    f"add allowPrivilegeEscalation: false and capabilities: {{drop: [ALL]}} to "
                    f"{{key:{dotted((*path, name))}}}",
                )


def _protected(context: Mapping[str, Any]) -> bool:
    capabilities = context.get("capabilities")
    dropped = capabilities.get("drop") if isinstance(capabilities, Mapping) else None
    drops = [str(name).upper() for name in dropped] if isinstance(dropped, list) else []
    return context.get("allowPrivilegeEscalation") is False and "ALL" in drops


@check(
    "security/context-ignored",
    ERROR,
    "securityContexts.containers on a component",
    why="Only the root takes `containers`; on components the key is `container`, and the guide's "
    "plural is ignored silently.",
)
def context_ignored(values: ValuesInput) -> Iterator[Finding]:
    """The plural below a component."""
    for path, contexts in _contexts(values.user):
        if len(path) > 1 and contexts.get("containers"):
            yield Finding(
                (*path, "containers"),
                f"the context is not applied: {dotted(path)} takes container, without s",
                f"rename it to {{key:{dotted(path)}.container}}",
                unread=True,
            )


@check(
    "security/context-out-of-reach",
    WARNING,
    "Pods that the root's security contexts do not reach",
    why="redis, statsd, PgBouncer, the collector and git-sync only read their own; under the "
    "restricted Pod Security level their pods are refused.",
)
def context_out_of_reach(values: ValuesInput) -> Iterator[Finding]:
    """Hardened root contexts, and components without their own."""
    pod = values.table("securityContexts.pod")
    if not values.given("securityContexts") or not (
        pod.get("runAsNonRoot") or "seccompProfile" in pod
    ):
        return
    on = {
        "redis": values.celery and values.on("redis.enabled"),
        "statsd": values.on("statsd.enabled"),
        "pgbouncer": values.on("pgbouncer.enabled"),
        "otelCollector": values.on("otelCollector.tracesEnabled")
        or values.on("otelCollector.metricsEnabled"),
    }
    for component in _OUT_OF_REACH:
        if on[component] and not values.table(f"{component}.securityContexts.pod"):
            yield Finding(
                component if values.given(component) else "securityContexts",
                f"{component} runs without the hardening of securityContexts: it reads its own",
                f"set {{key:{component}.securityContexts.pod}}",
            )
    if syncing(values) and not values.table("dags.gitSync.securityContexts.container"):
        yield Finding(
            "dags.gitSync",
            "git-sync runs without the hardening of securityContexts: it reads its own",
            "set {key:dags.gitSync.securityContexts.container}",
        )


@check(
    "security/group-not-zero",
    ERROR,
    "Another group with another user",
    why="The Airflow image's entrypoint ends at once when the group is not 0 and the user not "
    "50000.",
    source="apache/airflow image, entrypoint",
)
def group_not_zero(values: ValuesInput) -> Iterator[Finding]:
    """Effective gid ≠ 0 with uid ≠ 50000."""
    pod = values.table("securityContexts.pod")
    user = pod.get("runAsUser", values.get("uid")) if pod else values.get("uid")
    group = pod.get("runAsGroup", 0) if pod else 0
    if user not in (50000, None) and group not in (0, None):
        yield Finding(
            "securityContexts.pod.runAsGroup",
            "every Airflow container ends at once: the image needs group 0 with this user",
            "set {key:securityContexts.pod.runAsGroup}: 0",
        )


@check(
    "security/log-reader-halves",
    ERROR,
    "Half of the log reader's rights",
    why="The Role depends on webserver.allowPodLogReading, its RoleBinding on "
    "apiServer.allowPodLogReading; one without the other grants nothing.",
    also=((WARNING, "only a Role without binding is left"),),
)
def log_reader_halves(values: ValuesInput) -> Iterator[Finding]:
    """The two switches differ on Airflow 3."""
    role, binding = "webserver.allowPodLogReading", "apiServer.allowPodLogReading"
    if not values.airflow3 or not values.on("rbac.create"):
        return
    if values.on(role) != values.on(binding):
        off = role if not values.on(role) else binding
        yield Finding(
            off,
            "the UI cannot read logs of running task pods: Role and RoleBinding do not come "
            "together"
            if off == role
            else "a Role is left that nobody is bound to",
            f"set {role} and {binding} to the same value",
            None if off == role else WARNING,
        )


@check(
    "security/scc-without-dag-processor",
    ERROR,
    "OpenShift's rights without the DAG processor",
    why="The SCC binding names the DAG processor only if dagProcessor.enabled is set to true.",
)
def scc_without_dag_processor(values: ValuesInput) -> Iterator[Finding]:
    """`rbac.createSCCRoleBinding` with `dagProcessor.enabled` unset."""
    unset = values.get("dagProcessor.enabled") is None
    if values.on("rbac.createSCCRoleBinding") and values.airflow3 and unset:
        yield Finding(
            "rbac.createSCCRoleBinding",
            "OpenShift refuses the DAG processor's pod: the binding leaves it out",
            "set {key:dagProcessor.enabled}: true",
        )


@check(
    "security/worker-account-name",
    ERROR,
    "Rights for another ServiceAccount than the workers'",
    why="RoleBindings read the older workers.serviceAccount.name, pods the newer one.",
)
def worker_account_name(values: ValuesInput) -> Iterator[Finding]:
    """A custom name in one place only."""
    name = values.get("workers.celery.serviceAccount.name")
    older = values.get("workers.serviceAccount.name")
    if values.celery and values.on("rbac.create") and name and name != older:
        yield Finding(
            "workers.celery.serviceAccount.name",
            "tasks cannot start pods: the rights are bound to another ServiceAccount",
            "set {key:workers.serviceAccount.name} to the same name",
        )


@check(
    "security/task-pod-account",
    ERROR,
    "A ServiceAccount for task pods that is not created",
    why="workers.kubernetes.serviceAccount has an effect only with create: true.",
)
def task_pod_account(values: ValuesInput) -> Iterator[Finding]:
    """Annotations without `create: true`."""
    account = "workers.kubernetes.serviceAccount"
    annotated = values.on(f"{account}.annotations")
    if values.kubernetes and annotated and not values.on(f"{account}.create"):
        yield Finding(
            f"{account}.annotations",
            "task pods have no cloud identity: these annotations are ignored",
            f"set {{key:{account}.create}}: true",
            requires=f"{account}.create",
        )


@check(
    "security/worker-set-account",
    WARNING,
    "Worker sets without rights",
    why="Each set has a ServiceAccount of its own, and the RoleBindings name only the default one.",
)
def worker_set_account(values: ValuesInput) -> Iterator[Finding]:
    """Sets with pod launching on."""
    if not values.celery or not values.on("allowPodLaunching") or not values.on("rbac.create"):
        return
    for index, row in enumerate(values.rows("workers.celery.sets")):
        account = row.get("serviceAccount")
        if not isinstance(account, Mapping) or not account.get("name"):
            yield Finding(
                ("workers", "celery", "sets", index),
                "KubernetesPodOperator fails in this worker set: its ServiceAccount has no rights",
                "bind the pod-launcher Role to it yourself, or name an account that has it",
            )


@check(
    "security/token-volume",
    WARNING,
    "A token volume beside the automatic one",
    why="serviceAccountTokenVolume is rendered only with automountServiceAccountToken: false.",
)
def token_volume(values: ValuesInput) -> Iterator[Finding]:
    """The volume on while automount is on."""
    for component in ("scheduler", "cleanup"):
        account = f"{component}.serviceAccount"
        on = values.on(f"{account}.serviceAccountTokenVolume.enabled")
        if on and values.get(f"{account}.automountServiceAccountToken") is not False:
            yield Finding(
                f"{account}.serviceAccountTokenVolume",
                "the short-lived token is not used: the ordinary one is mounted",
                f"set {{key:{account}.automountServiceAccountToken}}: false",
            )


@check(
    "security/cluster-wide-rights",
    INFO,
    "Rights in every namespace",
    why="multiNamespaceMode makes ClusterRoles, which an AppProject must allow and which let "
    "tasks start pods in every namespace.",
)
def cluster_wide_rights(values: ValuesInput) -> Iterator[Finding]:
    """`multiNamespaceMode: true`."""
    if values.on("multiNamespaceMode"):
        yield Finding(
            "multiNamespaceMode",
            "tasks may start pods in every namespace of the cluster",
            "leave it off unless tasks really run elsewhere; the AppProject must allow "
            "ClusterRole and ClusterRoleBinding",
        )


@check(
    "security/account-names",
    INFO,
    "ServiceAccounts are named by another rule",
    why="They are called <release>-airflow-<component> even when other objects are called "
    "<release>-<component>; trust policies of clouds name them.",
)
def account_names(values: ValuesInput) -> Iterator[Finding]:
    """Annotations on accounts while the release's name has no `airflow` in it."""
    own = values.text("nameOverride") or "airflow"
    begin = values.release if own in values.release else f"{values.release}-{own}"
    begin = values.text("fullnameOverride") or begin
    if values.on("useStandardNaming") or begin == values.release:
        return
    for path, account in _accounts(values.user):
        if account.get("annotations") and not account.get("name"):
            yield Finding(
                (*path, "annotations"),
                f"the ServiceAccount's name begins with {begin}-; a trust policy "
                "for another name gives no rights",
                f"check the trust policy, or set {dotted(path)}.name",
            )


def _accounts(values: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(values, Mapping):
        for key, item in values.items():
            if key == "serviceAccount" and isinstance(item, Mapping):
                yield (*path, key), item
            else:
                yield from _accounts(item, (*path, key))
