"""How many database connections one pod of each component may hold open.

Read in apache-airflow-core 3.2.2 and apache-airflow 2.11.0 (`settings.prepare_engine_args`) and
counted in PostgreSQL's pg_stat_activity while all components ran and 36 tasks went through:

* API server 3.2.2, 2 processes, 80 requests at a time: 31 = 2 pools of 5 + 10, and 1 of the parent
* scheduler, DAG processor and triggerer 3.2.2: 1 each; Celery worker 3.2.2: 1
* webserver 2.11.0, 4 processes: 6; its scheduler with 12 local tasks: 14, without: 3; triggerer: 1;
  Celery worker with 6 tasks: 6
* Celery's result backend, both: 1 per process that runs tasks, and 1 in the scheduler

A single-threaded process never fills its pool, so it counts with a small number instead.
"""

from __future__ import annotations

from typing import NamedTuple

from generator.model.environment import Environment

# AnyIO's limit of worker threads: as many requests are answered by one process at a time.
_THREADS = 40
# The process' own session, a call of its in-process API, and a probe's or entrypoint's check.
_SINGLE = 3
# The job that supervises a task of Airflow 2 sends heartbeats while the task has its session.
_PER_TASK = 2


class Demand(NamedTuple):
    """Connections that one pod of a component may hold, and why that many."""

    component: str
    per_pod: int
    why: str


def connections(environment: Environment) -> list[Demand]:
    """Connections to the metadata database, by component as the definition calls it.

    Pool size, overflow, number of processes and parallelism come from `airflow.config`, from
    `airflow.env` or from the component's env, which wins as it does in Airflow.
    """
    found = [_api_server(environment), _scheduler(environment)]
    if environment.airflow_3:
        found.append(
            _single(environment, "dagProcessor", "one process; parsers ask it, not the database")
        )
    found.append(
        _single(environment, "triggerer", "one process; triggers ask it, not the database")
    )
    if environment.runs("CeleryExecutor"):
        found.append(_workers(environment))
    if environment.runs("KubernetesExecutor"):
        found.append(_task_pod(environment))
    return found


def result_backend(environment: Environment) -> list[Demand]:
    """Connections to Celery's result backend; none without Celery."""
    if not environment.runs("CeleryExecutor"):
        return []
    count = environment.workers.concurrency
    return [
        Demand("workers", count, f"one for each of {count} processes that run tasks"),
        Demand("scheduler", 1, "one that reads results"),
    ]


def pool_limit(environment: Environment, component_env: dict[str, str] | None = None) -> int:
    """The most connections that one process' pool hands out; without a limit, one per thread."""
    env = component_env or {}
    enabled = _option(environment, env, "database", "sql_alchemy_pool_enabled", "True")
    size = _number(environment, env, "database", "sql_alchemy_pool_size", 5)
    overflow = _number(environment, env, "database", "sql_alchemy_max_overflow", 10)
    if enabled.lower() not in ("true", "t", "1", "yes") or size == 0 or overflow < 0:
        return _THREADS
    return min(size + overflow, _THREADS)


def _api_server(environment: Environment) -> Demand:
    component = environment.api_server
    section, usual = ("api", 1) if environment.airflow_3 else ("webserver", 4)
    processes = component.workers or _number(environment, component.env, section, "workers", usual)
    spare = _spare_processes(environment)
    each = pool_limit(environment, component.env)
    if not environment.airflow_3 and _synchronous(environment):
        each = min(each, _PER_TASK)
    parent = 1 if processes + spare > 1 else 0
    why = f"{processes} processes of {each} each"
    if spare:
        why += f", {spare} more while processes are renewed"
    if parent:
        why += ", 1 of their parent"
    return Demand("apiServer", (processes + spare) * each + parent, why)


def _spare_processes(environment: Environment) -> int:
    """Processes that run beside the old ones during a rolling renewal."""
    refresh = environment.api_server.worker_refresh
    if refresh is not None:
        return refresh.batch_size if refresh.interval else 0
    return 0 if environment.airflow_3 else 1


def _synchronous(environment: Environment) -> bool:
    env = environment.api_server.env
    return _option(environment, env, "webserver", "worker_class", "sync") == "sync"


def _scheduler(environment: Environment) -> Demand:
    env = environment.scheduler.env
    base = min(pool_limit(environment, env), _SINGLE)
    if environment.airflow_3:
        return Demand("scheduler", base, "one process; tasks ask the API server")
    parsers = _number(environment, env, "scheduler", "parsing_processes", 2) + 1
    total, why = base + parsers, f"{base} of its own, {parsers} for parsing DAGs"
    if environment.runs("LocalExecutor"):
        tasks = _number(environment, env, "core", "parallelism", 32)
        total, why = total + tasks * _PER_TASK, f"{why}, {_PER_TASK} for each of {tasks} tasks"
    return Demand("scheduler", total, why)


def _workers(environment: Environment) -> Demand:
    if environment.airflow_3:
        return Demand("workers", 1, "the checks at its start; tasks ask the API server")
    tasks = environment.workers.concurrency
    return Demand(
        "workers", tasks * _PER_TASK + 1, f"{_PER_TASK} for each of {tasks} tasks, 1 more"
    )


def _task_pod(environment: Environment) -> Demand:
    if environment.airflow_3:
        return Demand("taskPods", 1, "the entrypoint's check; the task asks the API server")
    return Demand("taskPods", _PER_TASK, "the task and the job that supervises it")


def _single(environment: Environment, component: str, why: str) -> Demand:
    env = environment.triggerer.env if component == "triggerer" else environment.dag_processor.env
    return Demand(component, min(pool_limit(environment, env), _SINGLE), why)


def _number(
    environment: Environment, env: dict[str, str], section: str, option: str, usual: int
) -> int:
    """The option as a whole number; what is none is another check's business."""
    try:
        return int(_option(environment, env, section, option, str(usual)))
    except ValueError:
        return usual


def _option(
    environment: Environment, env: dict[str, str], section: str, option: str, usual: str
) -> str:
    variable = f"AIRFLOW__{section.upper()}__{option.upper()}"
    places = (env, environment.airflow.env)
    for place in places:
        if variable in place:
            return place[variable]
    return environment.airflow.config.get(section, {}).get(option, usual)
