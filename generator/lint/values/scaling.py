"""Checks of replicas, autoscaling, worker sets and volumes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput, as_number
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check
from generator.lint.values.components import budget_on, scaled


@check(
    "scaling/two-autoscalers",
    WARNING,
    "KEDA and HPA for the workers",
    why="With KEDA on the chart leaves its own HorizontalPodAutoscaler out.",
)
def two_autoscalers(values: ValuesInput) -> Iterator[Finding]:
    """Both on."""
    if values.celery and values.worker("keda.enabled") and values.worker("hpa.enabled"):
        yield Finding(
            values.worker_path("hpa.enabled"),
            "the workers' HPA is not rendered: KEDA is on too",
            "switch one of the two off",
        )


@check(
    "scaling/replicas-ignored",
    WARNING,
    "Replicas beside an autoscaler",
    why="With an autoscaler the chart leaves spec.replicas out.",
)
def replicas_ignored(values: ValuesInput) -> Iterator[Finding]:
    """A fixed number that nothing reads."""
    for component, path in (
        ("apiServer", "apiServer.replicas"),
        ("triggerer", "triggerer.replicas"),
        ("workers.celery", values.worker_path("replicas")),
    ):
        active = component != "workers.celery" or values.celery
        if active and scaled(values, component) and values.given(path):
            yield Finding(
                path,
                "the number of replicas is not used: an autoscaler decides",
                f"remove {path}, and set the autoscaler's minReplicaCount",
            )


@check(
    "scaling/cooldown",
    WARNING,
    "KEDA scales down faster than workers end",
    why="A worker that is told to stop finishes its tasks for terminationGracePeriodSeconds; a "
    "shorter cooldown stops more workers meanwhile.",
    source="chart documentation on KEDA",
)
def cooldown(values: ValuesInput) -> Iterator[Finding]:
    """`cooldownPeriod` not above the grace period."""
    if not values.celery or not values.worker("keda.enabled"):
        return
    period = as_number(values.worker("keda.cooldownPeriod"))
    grace = as_number(values.worker("terminationGracePeriodSeconds"))
    if period is not None and grace is not None and period <= grace:
        yield Finding(
            values.worker_path("keda.cooldownPeriod"),
            "workers are stopped one after the other before the first has finished its tasks",
            f"set {{key:workers.celery.keda.cooldownPeriod}} above {grace:g}",
        )


@check(
    "scaling/hpa-from-zero",
    ERROR,
    "A worker HPA that starts at zero",
    why="The default minReplicaCount 0 needs an alpha feature of Kubernetes, HPAScaleToZero; "
    "elsewhere the object is refused. CPU of zero pods cannot be measured either.",
)
def hpa_from_zero(values: ValuesInput) -> Iterator[Finding]:
    """Workers' HPA with the default minimum."""
    if values.celery and values.worker("hpa.enabled") and not values.worker("keda.enabled"):
        least = as_number(values.worker("hpa.minReplicaCount"))
        if not least:
            yield Finding(
                values.worker_path("hpa"),
                "the sync fails, or no worker ever starts: the autoscaler's minimum is 0",
                "set {key:workers.celery.hpa.minReplicaCount}: 1 or more",
            )


@check(
    "scaling/minimum-above-maximum",
    ERROR,
    "An autoscaler whose minimum is above its maximum",
    why="Kubernetes and KEDA refuse the object.",
)
def minimum_above_maximum(values: ValuesInput) -> Iterator[Finding]:
    """`minReplicaCount` > `maxReplicaCount`."""
    for path in ("apiServer.hpa", "webserver.hpa", "triggerer.keda"):
        least, most = (values.number(f"{path}.{key}") for key in _LIMITS)
        if values.on(f"{path}.enabled") and least is not None and most is not None and least > most:
            yield _above(path, path)
    for scaler in ("keda", "hpa"):
        least, most = (as_number(values.worker(f"{scaler}.{key}")) for key in _LIMITS)
        on = values.celery and values.worker(f"{scaler}.enabled")
        if on and least is not None and most is not None and least > most:
            yield _above(values.worker_path(scaler), f"workers.celery.{scaler}")


_LIMITS = ("minReplicaCount", "maxReplicaCount")


def _above(path: str, key: str) -> Finding:
    return Finding(
        path,
        "the sync fails: the autoscaler's minimum is above its maximum",
        f"raise {{key:{key}.maxReplicaCount}}",
    )


@check(
    "scaling/worker-sets-and-default",
    ERROR,
    "Worker sets beside the default workers",
    why="The default workers' selectors match the pods of every set: two disruption budgets per "
    "pod make evictions fail, and ambiguous autoscalers stop scaling.",
    source="chart 1.22.0, rendered; kubernetes#75957, kubernetes PR 112011",
    also=((WARNING, "no autoscaler or disruption budget selects them"),),
)
def sets_and_default(values: ValuesInput) -> Iterator[Finding]:
    """`sets` with `enableDefault` left on, or a set that is called default."""
    sets = values.rows("workers.celery.sets")
    if not values.celery or not sets:
        return
    for index, row in enumerate(sets):
        if row.get("name") == "default":
            yield Finding(
                ("workers", "celery", "sets", index),
                "objects are rendered twice: a set must not be called default",
                "give the set another name",
            )
    selected = scaled(values, "workers.celery") or budget_on(values, "workers.celery")
    if values.get("workers.celery.enableDefault") is not False:
        yield Finding(
            "workers.celery.sets",
            "the default workers' selector also matches the pods of every set: autoscaling and "
            "node drains stop working",
            "set {key:workers.celery.enableDefault}: false and make the default queue a set of its "
            "own",
            None if selected else WARNING,
        )


@check(
    "scaling/kubernetes-first-with-keda",
    WARNING,
    "KEDA counts tasks of the KubernetesExecutor",
    why="The query leaves out tasks whose executor is KubernetesExecutor by name; with Kubernetes "
    "first in the list, its tasks have no name there.",
)
def kubernetes_first(values: ValuesInput) -> Iterator[Finding]:
    """Kubernetes before Celery, with KEDA."""
    first = values.executors[:1] == ("KubernetesExecutor",)
    if first and values.celery and values.worker("keda.enabled"):
        yield Finding(
            "executor",
            "KEDA starts Celery workers for tasks that run in pods of their own",
            (
                "put CeleryExecutor first, or write {key:workers.celery.keda.query} yourself",
                "put CeleryExecutor first",
            ),
        )


@check(
    "scaling/keda-without-postgresql",
    ERROR,
    "KEDA with MySQL",
    why="The chart's trigger is KEDA's PostgreSQL scaler with a PostgreSQL query.",
)
def keda_without_postgresql(values: ValuesInput) -> Iterator[Finding]:
    """A MySQL protocol and KEDA on."""
    mysql = values.text("data.metadataConnection.protocol").startswith("mysql")
    if mysql and values.celery and values.worker("keda.enabled"):
        yield Finding(
            values.worker_path("keda.enabled"),
            "workers are never scaled: KEDA's query works on PostgreSQL only",
            ("use {key:workers.celery.hpa}, or PostgreSQL", "use PostgreSQL"),
        )


@check(
    "scaling/keda-through-pgbouncer",
    WARNING,
    "KEDA asks through PgBouncer",
    why="KEDA's prepared statements fail in transaction pooling.",
    source="apache/airflow#32590",
)
def keda_through_pgbouncer(values: ValuesInput) -> Iterator[Finding]:
    """PgBouncer on, and the workers' KEDA using it, which is the default."""
    on = values.celery and values.worker("keda.enabled") and values.on("pgbouncer.enabled")
    if on and values.worker("keda.usePgbouncer") is not False:
        yield Finding(
            values.worker_path("keda"),
            "KEDA's database queries fail now and then: PgBouncer does not keep its statements",
            "set {key:workers.celery.keda.usePgbouncer}: false and give the metadata Secret the "
            "key kedaConnection, the URL of the database itself",
        )


@check(
    "scaling/groomer-left-out",
    INFO,
    "Worker logs are never cleaned",
    why="On workers without a volume the chart leaves the log groomer out unless "
    "requirePersistence is false; the node's disk fills.",
)
def groomer_left_out(values: ValuesInput) -> Iterator[Finding]:
    """Workers as Deployment with the groomer's default."""
    deployment = not values.worker("persistence.enabled")
    groomer = values.worker("logGroomerSidecar.enabled")
    needs = values.worker("logGroomerSidecar.requirePersistence")
    deleted = str(values.get("config.logging.delete_local_logs")).lower() == "true"
    if values.celery and deployment and groomer and needs and not deleted:
        yield Finding(
            values.worker_path("persistence.enabled"),
            "worker pods fill their node's disk with logs, until they are evicted",
            "set {key:workers.celery.logGroomerSidecar.requirePersistence}: false",
        )


@check(
    "scaling/immutable-claim",
    INFO,
    "Volume claims that cannot be changed",
    why="Size, class and annotations of a StatefulSet's claims are immutable: a later change "
    "fails the sync, and switching persistence off changes the kind of the workload.",
    source="argoproj/argo-cd#11143",
)
def immutable_claim(values: ValuesInput) -> Iterator[Finding]:
    """Workers or triggerer with a volume, by default 100Gi for each pod."""
    if values.on("logs.persistence.enabled"):
        return
    if values.celery and values.worker("persistence.enabled"):
        path = values.worker_path("persistence")
        yield _claim(path, "workers.celery.persistence", values.worker("persistence.size"))
    # Charts give the triggerer of Airflow before 2.6 no volume.
    older = values.airflow is not None and values.airflow < (2, 6, 0)
    triggerer = values.get("triggerer.enabled") is not False and not older
    if triggerer and values.on("triggerer.persistence.enabled"):
        path = "triggerer.persistence"
        yield _claim(path, path, values.get(f"{path}.size"))


def _claim(path: str, key: str, size: object) -> Finding:
    each = f" of {size}" if isinstance(size, str) else ""
    return Finding(
        path,
        f"each pod gets a volume{each} for logs, whose size and class can never be changed",
        f"set {{key:{key}.enabled}}: false and send logs to an object store",
    )
