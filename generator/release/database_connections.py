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

import dataclasses
from collections.abc import Callable
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


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
    """What decides how many there are: release, executors, and options of Airflow.

    `option(component, section, name)` gives an option as that component has it, None where it is
    not set; `concurrency` is that of a Celery worker.
    """

    airflow_3: bool
    executors: frozenset[str]
    concurrency: int
    option: Callable[[str, str, str], str | None]

    def number(self, component: str, section: str, name: str, usual: int) -> int:
        """The option as a whole number; what is none is another check's business."""
        try:
            return int(self.option(component, section, name) or usual)
        except ValueError:
            return usual


def of_definition(environment: Environment) -> Setup:
    """The set-up of a definition: pool size, overflow, number of processes and parallelism come
    from `airflow.config`, from `airflow.env` or from the component's env, which wins as it does in
    Airflow."""
    components = {
        "apiServer": environment.api_server,
        "scheduler": environment.scheduler,
        "dagProcessor": environment.dag_processor,
        "triggerer": environment.triggerer,
        "workers": environment.workers,
    }

    def option(component: str, section: str, name: str) -> str | None:
        variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
        for place in (components[component].env, environment.airflow.env):
            if variable in place:
                return place[variable]
        server = environment.api_server
        if name == "workers" and server.workers:
            return str(server.workers)
        if section == "api" and server.worker_refresh is not None:
            refresh = server.worker_refresh
            if name == "worker_refresh_interval":
                return str(refresh.interval)
            if name == "worker_refresh_batch_size":
                return str(refresh.batch_size)
        given = environment.airflow.config.get(section, {}).get(name)
        return None if given is None else str(given)

    names = ("CeleryExecutor", "KubernetesExecutor", "LocalExecutor")
    executors = frozenset(name for name in names if environment.runs(name))
    return Setup(environment.airflow_3, executors, environment.workers.concurrency, option)


def connections(setup: Setup) -> list[Demand]:
    """Connections to the metadata database, by component as the definition calls it."""
    found = [_api_server(setup), _scheduler(setup)]
    if setup.airflow_3:
        why = "one process; parsers ask it, not the database"
        found.append(_single(setup, "dagProcessor", why))
    found.append(_single(setup, "triggerer", "one process; triggers ask it, not the database"))
    if "CeleryExecutor" in setup.executors:
        found.append(_workers(setup))
    if "KubernetesExecutor" in setup.executors:
        found.append(_task_pod(setup))
    return found


def result_backend(setup: Setup) -> list[Demand]:
    """Connections to Celery's result backend; none without Celery."""
    if "CeleryExecutor" not in setup.executors:
        return []
    count = setup.concurrency
    return [
        Demand("workers", count, f"one for each of {count} processes that run tasks"),
        Demand("scheduler", 1, "one that reads results"),
    ]


def pool_limit(setup: Setup, component: str) -> int:
    """The most connections that one process' pool hands out; without a limit, one per thread."""
    enabled = setup.option(component, "database", "sql_alchemy_pool_enabled") or "True"
    size = setup.number(component, "database", "sql_alchemy_pool_size", 5)
    overflow = setup.number(component, "database", "sql_alchemy_max_overflow", 10)
    if enabled.lower() not in ("true", "t", "1", "yes") or size == 0 or overflow < 0:
        return _THREADS
    return min(size + overflow, _THREADS)


def _api_server(setup: Setup) -> Demand:
    name = "apiServer"
    section, usual = ("api", 1) if setup.airflow_3 else ("webserver", 4)
    processes = setup.number(name, section, "workers", usual)
    spare = _spare_processes(setup, section)
    each = pool_limit(setup, name)
    synchronous = (setup.option(name, "webserver", "worker_class") or "sync") == "sync"
    if not setup.airflow_3 and synchronous:
        each = min(each, _PER_TASK)
    parent = 1 if processes + spare > 1 else 0
    why = f"{processes} processes of {each} each"
    if spare:
        why += f", {spare} more while processes are renewed"
    if parent:
        why += ", 1 of their parent"
    return Demand(name, (processes + spare) * each + parent, why)


def _spare_processes(setup: Setup, section: str) -> int:
    """Processes that run beside the old ones during a rolling renewal."""
    usual = 0 if setup.airflow_3 else 1
    if not setup.number("apiServer", section, "worker_refresh_interval", usual):
        return 0
    return setup.number("apiServer", section, "worker_refresh_batch_size", 1)


def _scheduler(setup: Setup) -> Demand:
    base = min(pool_limit(setup, "scheduler"), _SINGLE)
    if setup.airflow_3:
        return Demand("scheduler", base, "one process; tasks ask the API server")
    parsers = setup.number("scheduler", "scheduler", "parsing_processes", 2) + 1
    total, why = base + parsers, f"{base} of its own, {parsers} for parsing DAGs"
    if "LocalExecutor" in setup.executors:
        tasks = setup.number("scheduler", "core", "parallelism", 32)
        total, why = total + tasks * _PER_TASK, f"{why}, {_PER_TASK} for each of {tasks} tasks"
    return Demand("scheduler", total, why)


def _workers(setup: Setup) -> Demand:
    if setup.airflow_3:
        return Demand("workers", 1, "the checks at its start; tasks ask the API server")
    tasks = setup.concurrency
    return Demand(
        "workers", tasks * _PER_TASK + 1, f"{_PER_TASK} for each of {tasks} tasks, 1 more"
    )


def _task_pod(setup: Setup) -> Demand:
    if setup.airflow_3:
        return Demand("taskPods", 1, "the entrypoint's check; the task asks the API server")
    return Demand("taskPods", _PER_TASK, "the task and the job that supervises it")


def _single(setup: Setup, component: str, why: str) -> Demand:
    return Demand(component, min(pool_limit(setup, component), _SINGLE), why)
