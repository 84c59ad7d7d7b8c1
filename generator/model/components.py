"""The running parts of Airflow: how many, how big, where, and how they are replaced."""

from typing import Annotated, Any, Literal, Self

import pydantic

from generator.model import built_in
from generator.model.base import (
    Bool,
    Count,
    EnvName,
    Int,
    LabelKey,
    LabelValue,
    Line,
    Name,
    Positive,
    Quantity,
    Seconds,
    Spec,
    Text,
)
from generator.model.marks import Copied


class Amounts(Spec):
    """CPU in cores (500m is half a core), memory and ephemeral storage in bytes (4Gi)."""

    cpu: Quantity | None = None
    """Cores; 500m is half a core."""
    memory: Quantity | None = None
    """Bytes, such as 512Mi or 4Gi."""
    ephemeral_storage: Quantity | None = pydantic.Field(default=None, alias="ephemeral-storage")
    """Bytes on the node's disk, such as 2Gi."""


class Resources(Spec):
    """What a container is guaranteed (requests) and what it may not exceed (limits)."""

    requests: Amounts = Amounts.model_construct()
    limits: Amounts = Amounts.model_construct()


class DisruptionBudget(Spec):
    """How many pods a node drain may take away: one of the two, a number or a percentage."""

    max_unavailable: Text | None = None
    """Pods that may be missing, such as 1 or 25%."""
    min_available: Text | None = None
    """Pods that must stay, such as 1 or 50%."""

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.max_unavailable is None) == (self.min_available is None):
            raise ValueError("give exactly one of maxUnavailable and minAvailable")
        return self


class Toleration(Spec):
    """A taint that the pods accept, in Kubernetes' words."""

    key: Line | None = None
    """The taint's key; none means every taint."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists ignores the value, Equal compares it."""
    value: Text | None = None
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; none means every effect."""
    toleration_seconds: Int | None = None
    """Seconds that a NoExecute taint is tolerated."""


class Spread(Spec):
    """How the pods of one component spread over zones or nodes."""

    topology_key: Line = "topology.kubernetes.io/zone"
    """Node label whose values are the places to spread over."""
    max_skew: Positive = 1
    """How many pods more one place may have than another."""
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = "ScheduleAnyway"
    """Whether a pod waits when it cannot be spread."""


class Placement(Spec):
    """Where pods may run; a component's own setting replaces the environment's."""

    node_selector: dict[LabelKey, LabelValue] | None = None
    """Node labels that must match."""
    tolerations: tuple[Toleration, ...] | None = None
    """Taints that the pods accept."""
    spread: Spread | None = None
    """Topology spread of each component's pods."""
    priority_class_name: Annotated[Name | None, Copied.KEEP] = None
    """An existing PriorityClass."""


class UpdateStrategy(Spec):
    """How many pods are added and missing while a component is replaced: numbers or percentages."""

    max_surge: Text | None = None
    """Pods that may be added, such as 1 or 25%."""
    max_unavailable: Text | None = None
    """Pods that may be missing, such as 1 or 25%."""


class LogGroomer(Spec):
    """The sidecar that deletes old task logs from a pod's disk."""

    enabled: Bool = True
    """False leaves old logs on the disk."""
    retention_days: Positive = 7
    """Days that logs are kept."""
    resources: Resources | None = None


class Component(Placement):
    """What every component has."""

    resources: Resources | None = None
    """Requests and limits of the main container."""
    disruption_budget: DisruptionBudget | None = None
    """None leaves drains unbounded."""
    update_strategy: UpdateStrategy | None = None
    """None keeps the chart's own."""
    env: dict[EnvName, Text] = {}
    """Extra environment of this component alone; never a secret."""
    annotations: dict[str, Text] = {}
    """Annotations on the pods."""


class HpaAutoscaling(Spec):
    """A HorizontalPodAutoscaler on CPU."""

    type: Literal["hpa"]
    """Scale on the CPU use of the pods."""
    min_replicas: Positive = 1
    """Fewest pods."""
    max_replicas: Positive
    """Most pods."""
    target_cpu_percent: Annotated[Int, pydantic.Field(ge=1, le=1000)] = 80
    """CPU use, in percent of the request, that it steers towards."""

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError("minReplicas is larger than maxReplicas")
        return self


class KedaAutoscaling(Spec):
    """A KEDA ScaledObject that counts queued and running work in the metadata database."""

    type: Literal["keda"]
    """Scale on queued and running work."""
    min_replicas: Count = 0
    """Fewest pods; 0 lets it scale to nothing."""
    max_replicas: Positive
    """Most pods."""
    polling_interval: Seconds = 10
    """Seconds between two looks at the database."""
    cooldown_period: Seconds | None = None
    """Seconds of quiet before the last replica goes; by default a minute over the grace period."""

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError("minReplicas is larger than maxReplicas")
        return self


WorkerAutoscaling = Annotated[
    HpaAutoscaling | KedaAutoscaling, pydantic.Field(discriminator="type")
]


class WorkerRefresh(Spec):
    """Replacing the API server's processes one by one, so that none is missing (Airflow >= 3.2)."""

    interval: Seconds = 43_200
    """Seconds that a process lives; 0 never replaces one."""
    batch_size: Positive = 1
    """Processes replaced at a time."""


def _not_both(component: Any) -> Any:
    if component.replicas is not None and component.autoscaling is not None:
        raise ValueError("give either replicas or autoscaling: the autoscaler owns the count")
    return component


class ApiServer(Component):
    """The API server and UI (the webserver of Airflow 2)."""

    replicas: Positive | None = None
    """Number of pods; 1 when neither this nor autoscaling is given."""
    autoscaling: HpaAutoscaling | None = None
    workers: Positive | None = None
    """Processes in a pod; Airflow's default is 1 in 3.x and 4 in 2.x."""
    worker_refresh: WorkerRefresh | None = None
    proxy_headers: Bool = True
    """Trust X-Forwarded-* from the ingress controller, so that links are https."""
    startup_probe_failures: Positive = 30
    """Probes (10 s each) before a starting API server counts as dead; the chart's 6 is too few."""

    _one_count = pydantic.model_validator(mode="after")(_not_both)


class Scheduler(Component):
    """The scheduler."""

    replicas: Positive = 1
    """Number of pods; each schedules, none leads."""
    log_groomer: LogGroomer | None = None
    startup_probe_failures: Positive = 30
    """Probes (10 s each) before a starting scheduler counts as dead."""


class DagProcessor(Component):
    """The DAG processor; Airflow 3 cannot run without it."""

    replicas: Positive = 1
    """Number of pods."""
    log_groomer: LogGroomer | None = None


class Triggerer(Component):
    """The triggerer, which waits for deferred tasks."""

    replicas: Count | None = None
    """Number of pods; 1 when neither this nor autoscaling is given; 0 leaves it out."""
    autoscaling: KedaAutoscaling | None = None
    capacity: Positive = 1000
    """Triggers that one pod runs at a time."""
    log_groomer: LogGroomer | None = None
    termination_grace_period_seconds: Seconds = 60
    """Seconds."""

    _one_count = pydantic.model_validator(mode="after")(_not_both)


class Volume(Spec):
    """A PersistentVolumeClaim that keeps data; the access mode is Kubernetes' word."""

    size: Quantity = "10Gi"
    """Bytes, such as 10Gi; not used with an existing claim."""
    storage_class_name: Annotated[Name | None, Copied.KEEP] = None
    """None takes the cluster's default class."""
    existing_claim: Annotated[Name | None, Copied.FILL_IN] = None
    """A claim that already exists; size and class are then not used."""
    access_mode: Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"] = "ReadWriteMany"
    """ReadWriteMany where pods of several nodes mount it."""


class WorkerVolume(Spec):
    """A volume of each Celery worker; with it workers are a StatefulSet whose size is frozen."""

    size: Quantity = "10Gi"
    """Bytes of each worker's volume; it can never change."""
    storage_class_name: Annotated[Name | None, Copied.KEEP] = None
    """None takes the cluster's default class."""


class Workers(Component):
    """Celery workers, and the task pods of the Kubernetes executor."""

    resources: Resources | None = None
    """Requests and limits of each Celery worker, and of task pods without `taskResources`."""
    concurrency: Positive = 16
    """Tasks that one Celery worker runs at a time."""
    replicas: Count | None = None
    """Celery worker pods; 1 when neither this nor autoscaling is given."""
    autoscaling: WorkerAutoscaling | None = None
    """hpa or keda, instead of a fixed number."""
    termination_grace_period_seconds: Seconds = 600
    """Seconds that a worker may finish its tasks when it is told to stop."""
    persistence: WorkerVolume | None = None
    log_groomer: LogGroomer | None = None
    task_resources: Resources | None = None
    """Requests and limits of each Kubernetes task pod, in place of all of `resources`; without it
    task pods have those of `resources`."""

    _one_count = pydantic.model_validator(mode="after")(_not_both)


class PgBouncer(Component):
    """The connection pooler in front of PostgreSQL."""

    replicas: Positive = 1
    """Number of pods; each has pools of its own."""
    pool_size: Positive = 10
    """Server connections per pod for the metadata database."""
    result_backend_pool_size: Positive = 5
    """Server connections per pod for Celery's result backend."""
    max_client_connections: Positive = 100
    """Client connections per pod."""
    ssl_mode: (
        Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None
    ) = None
    """TLS between PgBouncer and the database; by default as `database.sslMode`, never weaker."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds pgbouncer.ini and users.txt; `<release>-pgbouncer-config` by default."""
    stats_secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds the exporter's connection; `<release>-pgbouncer-stats` by default."""

    @pydantic.model_validator(mode="after")
    def _replaced_by_the_chart(self) -> Self:
        if self.update_strategy is not None:
            raise ValueError("the chart replaces PgBouncer in its own way: remove updateStrategy")
        return self


class Jobs(Spec):
    """The migration and user jobs."""

    migrations_wait_timeout: Seconds = 600
    """Seconds that every pod waits for the database migration before it gives up."""
    resources: Annotated[Resources | None, built_in.JOB] = None
    use_default_image: Bool = False
    """Run migrations with the plain Airflow image instead of this environment's."""


class PodCleanup(Spec):
    """Deletes finished task pods of the Kubernetes executor."""

    schedule: Line = "*/15 * * * *"
    """Start, as a cron expression."""


class DatabaseCleanup(Spec):
    """Deletes old rows from the metadata database."""

    schedule: Line = "0 3 * * 0"
    """Start, as a cron expression in the cluster's time zone."""
    retention_days: Positive = 90
    """Days that rows are kept."""
    skip_archive: Bool = True
    """False keeps what was deleted in archive tables, which grow without end."""


class Cleanup(Spec):
    """Clean-up jobs; None leaves one out."""

    pods: PodCleanup | None = None
    database: DatabaseCleanup | None = None
    resources: Annotated[Resources | None, built_in.JOB] = None
