"""How many connections to the metadata database the pods may open, against its limit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.impact import pooler
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube.workload import Workload, command

_NEARLY = 0.8
_POOL = re.compile(r"^[^;#\n\[]*\bpool_size\s*=\s*(\d{1,6})", re.MULTILINE)
_CONCURRENCY = re.compile(r"(?:--concurrency|-c)[= ](\d{1,5})")

DATABASE_CONNECTIONS = ImpactRule(
    "impact/database-connections",
    ERROR,
    "Connections that the pods may open, against the database's limit",
    "Beyond the limit pods fail with `too many connections`.",
    "Airflow, section database of its options",
    also=(
        (WARNING, "above 80 % of the limit"),
        (INFO, "below that"),
    ),
)


def connections(context: Context) -> Iterator[Finding]:
    """`impact/database-connections`: the most that can be open at once, before and after.

    An upper bound: per process `sql_alchemy_pool_size + sql_alchemy_max_overflow` (defaults 5 and
    10: airflow/config_templates/config.yml, section database), and one for the result backend per
    Celery worker process. Behind PgBouncer its pools count instead.
    """
    limit = context.head.facts.connection_limit
    before, after = most_connections(context.base), most_connections(context.head)
    if limit is None or after is None:
        return
    lower_limit = context.base.facts.connection_limit
    if before == after and lower_limit == limit:
        return
    earlier = "" if before in (None, after) else f" (before: {before})"
    words = f"up to {after} database connections{earlier}, and the server accepts {limit}"
    if after > limit:
        yield DATABASE_CONNECTIONS.finding(
            None,
            f"{words}: beyond it, pods fail with `too many connections`; put PgBouncer between, or "
            "lower replicas or pool sizes",
        )
    elif after > limit * _NEARLY:
        yield DATABASE_CONNECTIONS.finding(
            None,
            f"{words}: little is left for anything else",
            WARNING,
        )
    else:
        yield DATABASE_CONNECTIONS.finding(None, words, INFO)


def most_connections(view: View) -> int | None:
    """The upper bound; None when PgBouncer's pools are in a Secret that is not rendered."""
    between = next((work for work in view.workloads if work.component == pooler.POOLER), None)
    if between is not None:
        pools = _pools(view)
        return None if pools is None else pools * between.scale.maximum
    total = sum(_of(view, work) * work.scale.maximum for work in view.workloads)
    return total or None


def _of(view: View, work: Workload) -> int:
    """Connections of one pod of this workload."""
    pool = _per_process(view)
    match work.component:
        case "api-server":
            return pool * _number(view, "api", "workers", 1)
        case "webserver":
            return pool * _number(view, "webserver", "workers", 4)
        case "scheduler":
            local = "LocalExecutor" in view.executors
            return pool * (1 + (_number(view, "core", "parallelism", 32) if local else 0))
        case "dag-processor":
            return pool * (1 + _number(view, "dag_processor", "parsing_processes", 2))
        case "triggerer":
            return pool
        case "worker":
            return pool + _concurrency(view, work)
    return 0


def _per_process(view: View) -> int:
    enabled = ("database", "sql_alchemy_pool_enabled")
    if view.setting(*enabled) and not view.is_on(*enabled):
        return 1
    overflow = _number(view, "database", "sql_alchemy_max_overflow", 10)
    return _number(view, "database", "sql_alchemy_pool_size", 5) + max(overflow, 0)


def _concurrency(view: View, work: Workload) -> int:
    for container in work.containers():
        words = " ".join(command(container))
        match = _CONCURRENCY.search(words)
        if match and "celery" in words:
            return int(match[1])
    return _number(view, "celery", "worker_concurrency", 16)


def _number(view: View, section: str, key: str, default: int) -> int:
    text = (view.setting(section, key) or "").strip()
    return int(text) if re.fullmatch(r"-?\d{1,6}", text) else default


def _pools(view: View) -> int | None:
    """The sum of `pool_size` over the databases of pgbouncer.ini."""
    text = pooler.ini(view)
    return (sum(int(size) for size in _POOL.findall(text)) or None) if text else None


FINDERS = (connections,)
