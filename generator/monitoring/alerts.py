"""The alerts of an environment: what each is about, when it fires, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from generator.model.telemetry import Alerts
from generator.monitoring import kept_alerts
from generator.monitoring.alert import Alert
from generator.monitoring.series import Series, happened, silent
from generator.release.release import Release

_MIGRATION_WAITS = 'container="wait-for-airflow-migrations"'


def alerts(release: Release) -> list[Alert]:
    """The alerts that an environment can have: those about a component where it runs.

    None where `metrics.alerts` is not given.
    """
    wanted = release.environment.metrics.alerts
    if wanted is None:
        return []
    series, has = Series.of(release), release.topology.has
    found = [*_exported(series, wanted, has("triggerer"), has("dag-processor"))]
    if has("pgbouncer"):
        found += _pooled(series, wanted)
    return [
        *found,
        *_pods(series, wanted),
        *kept_alerts.alerts(release, series, wanted.certificate_days),
    ]


def _exported(series: Series, wanted: Alerts, triggerer: bool, processor: bool) -> Iterator[Alert]:
    metric, lost, waiting = series.airflow, wanted.lost_minutes, wanted.waiting_minutes
    yield Alert(
        "AirflowMetricsLost", "warning", "no metrics of Airflow arrive",
        f"sum(absent({series.up()})) or max({series.up()}) == 0", lost, "statsd",
        "Prometheus does not reach the StatsD exporter. Alerts on lost components then fire as "
        "well, and say nothing about these components.",
        ("Is the exporter's pod ready?",
         "Does a NetworkPolicy let Prometheus in (`networkPolicy.peers.monitoring`)?",
         "Does Prometheus select the ServiceMonitor (`monitoring.labels` of the cluster)?"),
    )  # fmt: skip
    yield _lost("scheduler", "AirflowSchedulerNoHeartbeat", metric("scheduler_heartbeat"), lost,
                "No scheduler schedules: DAG runs do not start, running tasks go on.")  # fmt: skip
    if triggerer:
        yield _lost("triggerer", "AirflowTriggererLost", metric("triggerer_heartbeat"), lost,
                    "Deferred tasks do not wake up; their timeouts run on.")  # fmt: skip
    if processor:
        beat = metric("dag_processor_heartbeat")
        yield _lost("dag-processor", "AirflowDagProcessorLost", beat, lost,
                    "Changed DAGs are not taken over; DAGs that are known still run.")  # fmt: skip
        yield Alert(
            "AirflowDagImportErrors", "warning", "DAG files do not import",
            f"max({metric('dag_processing.import_errors')}) > 0", waiting, "dag-processor",
            "The DAGs of these files keep their last good state, or are gone.",
            ("Open the list of import errors in the UI; it has the traceback.",
             "Was the image changed? A provider may lack what the DAG imports.",
             "Revert the commit of the DAG repository that brought the error."),
        )  # fmt: skip
        if series.sends("dag_processing.last_duration"):
            yield _parsing(metric("dag_processing.last_duration", 'quantile="0.5"'), wanted)
    queued, started = metric("executor.queued_tasks"), metric("ti.start")
    yield Alert(
        "AirflowTasksNotStarting", "critical", "tasks are queued and none starts",
        f"(min_over_time(sum({queued})[{waiting}m:1m]) > 0) unless on() "
        f"({happened(started, waiting)})", 1, "worker",
        "The scheduler hands tasks to the executor and nothing runs them.",
        ("Are workers there and ready? With KubernetesExecutor: are task pods pending?",
         "Does the ResourceQuota of the namespace leave room?",
         "With CeleryExecutor: does the broker answer?"),
    )  # fmt: skip
    free, asked = metric("pool.open_slots"), metric("pool.scheduled_slots")
    yield Alert(
        "AirflowPoolExhausted", "warning", "the pool {{ $labels.pool }} is full and tasks wait",
        f"max by (pool) ({free}) <= 0 and max by (pool) ({asked}) > 0", waiting, "scheduler",
        "Tasks of this pool wait for a free slot.",
        ("Which tasks hold the slots? List running task instances by pool in the UI.",
         "Is one of them stuck? Mark it failed.",
         "Else raise the pool's slots, with the database's connections in mind."),
    )  # fmt: skip
    killed = metric("scheduler.tasks.killed_externally")
    yield Alert(
        "AirflowTasksKilled", "warning", "tasks were killed from outside",
        happened(killed, waiting), 0, "worker",
        "The executor reports tasks as ended while Airflow holds them to be queued or running: "
        "their process or pod was killed, by memory, a node or a deployment.",
        ("Why did the last pods end?", "Was there a deployment or a drain of a node at that time?",
         "Raise the memory limit of workers, or their grace period."),
    )  # fmt: skip


def _parsing(series: str, wanted: Alerts) -> Alert:
    return Alert(
        "AirflowDagParsingSlow", "warning", "{{ $labels.dag_file }} takes too long to parse",
        f"max by (dag_file) ({series}) > {wanted.parse_seconds}", wanted.waiting_minutes,
        "dag-processor",
        "A file that is not parsed within `core.dagbag_import_timeout` (30 s by default) is an "
        "import error, and a slow one delays changes of all others.",
        ("What does the file do when it is imported: queries, HTTP requests, Variables?",
         "Is the DAG processor at the limit of its CPU?",
         "Move such work into tasks, or divide the file."),
    )  # fmt: skip


def _lost(component: str, name: str, series: str, minutes: int, meaning: str) -> Alert:
    return Alert(
        name, "critical", f"no heartbeat of the {component} for {minutes} minutes",
        silent(series, minutes), 1, component, meaning,
        ("Is AirflowMetricsLost firing too? Then look at the exporter first.",
         "Is the pod ready, and how often was it restarted?",
         "What does its log end with? A lost database connection is the usual cause."),
    )  # fmt: skip


def _pooled(series: Series, wanted: Alerts) -> Iterator[Alert]:
    waiting, active = (
        series.pgbouncer(f"pools_{name}_clients", 'database!="pgbouncer"')
        for name in ("waiting", "active")
    )
    yield Alert(
        "AirflowPgBouncerSaturated", "critical", "clients wait for a database connection",
        f"sum({waiting}) > 0", wanted.lost_minutes, "pgbouncer",
        "All server connections of a pool are taken: queries wait, heartbeats come late, and "
        "Airflow ends tasks for it.",
        ("Which pool? Compare `pgbouncer_exporter_pools_waiting_clients` by database.",
         "Do long queries hold connections? Look at `pg_stat_activity` of the server.",
         "Raise `pgbouncer.metadataPoolSize` within what the server allows."),
    )  # fmt: skip
    yield Alert(
        "AirflowDatabaseConnectionsGrow", "warning", "clients of PgBouncer grow and never go back",
        f"sum(min_over_time({active}[1h])) > {1 + wanted.connection_growth / 100:g} * "
        f"sum(min_over_time({active}[1h] offset 6h)) + 10",
        60, "api-server",
        f"The lowest number of active clients of an hour is {wanted.connection_growth} % and 10 "
        "above that of six hours ago. "
        "API servers that keep their connections until they are restarted look like this.",
        ("Which users and databases? Compare `pgbouncer_exporter_pools_active_clients`.",
         "Restart the API server; does the number go back?",
         "If so, let its processes be renewed (`apiServer.workerRefresh`)."),
    )  # fmt: skip


def _pods(series: Series, wanted: Alerts) -> Iterator[Alert]:
    started = series.pods("init_container_status_running", _MIGRATION_WAITS)
    restarted = series.pods("init_container_status_restarts_total", _MIGRATION_WAITS)
    yield Alert(
        "AirflowMigrationStuck", "critical", "pods wait for a migration of the database",
        f"max(max_over_time({started}[5m])) > 0 or sum(increase({restarted}[10m])) > 0",
        wanted.waiting_minutes, "run-airflow-migrations",
        "New pods start only when the database has the schema of their image.",
        ("Does the Job of the migration run, and what does its log end with?",
         "Does it wait for a lock? Look at `pg_locks` and `pg_stat_activity` of the server.",
         "Do not kill it in the middle of a revision: MySQL cannot take such a step back."),
    )  # fmt: skip
    memory = series.pods("container_status_last_terminated_reason", 'reason="OOMKilled"')
    restarts = series.pods("container_status_restarts_total", 'container!=""')
    yield Alert(
        "AirflowOutOfMemory", "warning", "{{ $labels.pod }} was killed for its memory",
        f"max by (pod, container) ({memory}) > 0 and "
        f"sum by (pod, container) (increase({restarts}[{wanted.waiting_minutes}m])) > 0",
        0, "worker",
        "A container went over its memory limit and was restarted.",
        ("Which component? Its limit is `resources` of that part of the definition.",
         "On a worker: which task ran? Give it a pod of its own, or lower the concurrency."),
    )  # fmt: skip
    everything = series.pods("info", 'host_network!=""')
    yield Alert(
        "AirflowPodMetricsMissing", "warning", "kube-state-metrics says nothing about the pods",
        f"sum(absent({everything}))", wanted.waiting_minutes, "statsd",
        "AirflowMigrationStuck and AirflowOutOfMemory cannot fire.",
        ("Does kube-state-metrics run, and is it scraped?",
         "Is this namespace among those that it reads?"),
    )  # fmt: skip
