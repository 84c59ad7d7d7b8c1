"""How many connections to the metadata database the pods may open, against its limit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.impact import pooler
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube.workload import ROLLED, Workload, command
from generator.release import database_connections

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

    Counted as `release/database_connections` does for a definition. Behind PgBouncer its pools
    count instead.
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
    return sum(_of(view, work) * work.scale.maximum for work in view.workloads) or None


_NAMES = {
    "api-server": "apiServer",
    "webserver": "apiServer",
    "scheduler": "scheduler",
    "dag-processor": "dagProcessor",
    "triggerer": "triggerer",
    "worker": "workers",
}
"""Components as the chart labels them, and as a definition calls them."""


def _of(view: View, work: Workload) -> int:
    """Connections of one pod of this workload, those of the result backend included."""
    component = _NAMES.get(work.component)
    if component is None or work.key.kind not in ROLLED:
        return 0
    own: dict[str, str] = {}
    for name, entry in work.environment():
        if isinstance(entry.get("value"), str):
            own.setdefault(name, entry["value"])

    def option(_: str, section: str, name: str) -> str | None:
        variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
        return own.get(variable) or view.setting(section, name)

    executors = {*view.executors, *(("CeleryExecutor",) if component == "workers" else ())}
    setup = database_connections.Setup(
        not view.runs.airflow.startswith("2."),
        frozenset(executors),
        _concurrency(view, work),
        option,
    )
    found = (*database_connections.connections(setup), *database_connections.result_backend(setup))
    return sum(item.per_pod for item in found if item.component == component)


def _concurrency(view: View, work: Workload) -> int:
    for container in work.containers():
        words = " ".join(command(container))
        match = _CONCURRENCY.search(words)
        if match and "celery" in words:
            return int(match[1])
    text = (view.setting("celery", "worker_concurrency") or "").strip()
    return int(text) if re.fullmatch(r"\d{1,6}", text) else 16


def _pools(view: View) -> int | None:
    """The sum of `pool_size` over the databases of pgbouncer.ini."""
    text = pooler.ini(view)
    return (sum(int(size) for size in _POOL.findall(text)) or None) if text else None


FINDERS = (connections,)
