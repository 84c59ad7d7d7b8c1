"""Checks of disruption budgets, resources and what keeps a component up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path
from generator.core.rule import NOT_IN_DEVELOPMENT, PRODUCTION_ONLY
from generator.helmvalues.values import ValuesInput, as_number
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check
from generator.lint.values.components import budget, budget_on, least, running

_BUDGETED = ("apiServer", "webserver", "scheduler", "dagProcessor", "triggerer", "pgbouncer")


@check(
    "scaling/budget-with-both",
    ERROR,
    "A disruption budget with minAvailable and maxUnavailable",
    why="Maps merge with the chart's defaults, so minAvailable comes beside the default "
    "maxUnavailable: 1, and Kubernetes refuses an object with both.",
)
def budget_with_both(values: ValuesInput) -> Iterator[Finding]:
    """Both fields after the merge."""
    for component in (*_BUDGETED, "workers.celery"):
        fields = budget(values, component)
        if budget_on(values, component) and {"minAvailable", "maxUnavailable"} <= fields.keys():
            yield Finding(
                f"{component}.podDisruptionBudget.config",
                "the sync fails: a disruption budget takes minAvailable or maxUnavailable, not "
                "both, and the chart adds its default maxUnavailable",
                f"add {{key:{component}.podDisruptionBudget.config.maxUnavailable}}: null",
            )


@check(
    "scaling/budget-blocks-drains",
    WARNING,
    "A disruption budget that no node drain passes",
    why="With as many pods required as there are, Kubernetes evicts none: node upgrades hang.",
)
def budget_blocks_drains(values: ValuesInput) -> Iterator[Finding]:
    """Nothing may be unavailable."""
    active = set(running(values))
    for component in (*_BUDGETED, "workers.celery"):
        if component not in active or not budget_on(values, component):
            continue
        if _blocks(budget(values, component), least(values, component)):
            yield Finding(
                f"{component}.podDisruptionBudget",
                "node upgrades hang: the disruption budget allows no eviction",
                f"run more {component} replicas than minAvailable, or set maxUnavailable: 1",
            )


def _blocks(fields: Mapping[str, Any], replicas: float) -> bool:
    most, least = fields.get("maxUnavailable"), fields.get("minAvailable")
    if least is not None:
        wanted = as_number(least)
        return str(least) == "100%" or (wanted is not None and replicas > 0 and wanted >= replicas)
    return str(most) in ("0", "0%")


@check(
    "scaling/worker-budget-without-celery",
    WARNING,
    "A worker disruption budget without Celery workers",
    why="It is rendered for every executor and selects the KubernetesExecutor's task pods.",
)
def worker_budget_without_celery(values: ValuesInput) -> Iterator[Finding]:
    """The budget on without Celery."""
    if values.executors and not values.celery and budget_on(values, "workers.celery"):
        yield Finding(
            values.worker_path("podDisruptionBudget.enabled"),
            "node drains wait for running tasks: the workers' budget selects task pods",
            "set {key:workers.celery.podDisruptionBudget.enabled}: false",
        )


@check(
    "scaling/priority-class-prefix",
    ERROR,
    "A priority class under its short name",
    why="The chart creates <release>-<name>; Kubernetes refuses pods of a class that does not "
    "exist.",
)
def priority_class_prefix(values: ValuesInput) -> Iterator[Finding]:
    """`priorityClassName` equal to a name in `priorityClasses`."""
    names = {str(row.get("name")) for row in values.rows("priorityClasses")}
    for path, name in _priority_classes(values.user):
        if name in names:
            yield Finding(
                path,
                "the pods are never created: the chart names the class with the release in front",
                f"set {'.'.join(map(str, path))}: {values.release}-<name>",
            )


def _priority_classes(values: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(values, Mapping):
        for key, item in values.items():
            if key == "priorityClassName" and isinstance(item, str):
                yield (*path, key), item
            else:
                yield from _priority_classes(item, (*path, key))


@check(
    "scaling/api-server-start",
    INFO,
    "The API server has a minute to start",
    why="Six failed startup probes at ten seconds end it; importing providers on a small CPU "
    "takes longer, and it then restarts for ever.",
    tiers=NOT_IN_DEVELOPMENT,
)
def api_server_start(values: ValuesInput) -> Iterator[Finding]:
    """The default startup window."""
    probe = "apiServer.startupProbe"
    period, failures = (
        values.number(f"{probe}.periodSeconds"),
        values.number(f"{probe}.failureThreshold"),
    )
    if not values.airflow3 or values.get("apiServer.enabled") is False:
        return
    if period is not None and failures is not None and period * failures <= 60:
        yield Finding(
            probe if values.given(probe) else "apiServer" if values.given("apiServer") else (),
            "a slow node restarts the API server for ever: it has a minute to start",
            f"set {{key:{probe}.failureThreshold}}: 30",
        )


@check(
    "scaling/no-resources",
    INFO,
    "Components without resources",
    why="Without requests the scheduler of Kubernetes packs them anywhere; without limits one "
    "takes the node's memory, and probes that start Python fail first.",
    tiers=(("development", None), ("staging", WARNING), ("production", WARNING)),
)
def no_resources(values: ValuesInput) -> Iterator[Finding]:
    """Components whose `resources` are empty."""
    without = [name for name in running(values) if not _resources(values, name)]
    if values.kubernetes and not values.get("workers.kubernetes.resources"):
        without += [] if values.on("workers.resources") else ["workers.kubernetes"]
    without = list(dict.fromkeys(_section(values, name) for name in without))
    if without:
        yield Finding(
            () if len(without) > 1 else without[0],
            "pods without resources crowd a node and are killed first: " + ", ".join(without),
            "set requests and a memory limit below <component>.resources",
        )


def _section(values: ValuesInput, component: str) -> str:
    """Where this chart reads the component's resources: older ones know only `workers`."""
    key = values.spelled(f"{component}.resources") or f"{component}.resources"
    return key.removesuffix(".resources")


def _resources(values: ValuesInput, component: str) -> Any:
    if component == "workers.celery":
        return values.worker("resources")
    return values.get(f"{component}.resources")


@check(
    "scaling/single-replica",
    WARNING,
    "One replica in production",
    why="Each node upgrade interrupts the component.",
    tiers=PRODUCTION_ONLY,
)
def single_replica(values: ValuesInput) -> Iterator[Finding]:
    """API server, scheduler or PgBouncer with one pod."""
    for component in ("apiServer", "scheduler", "dagProcessor", "triggerer", "pgbouncer"):
        if component in running(values) and least(values, component) <= 1:
            yield Finding(
                f"{component}.replicas",
                f"every node upgrade interrupts {component}: it has one replica",
                f"set {{key:{component}.replicas}}: 2",
                requires=f"{component}.replicas",
            )


@check(
    "scaling/no-disruption-budget",
    WARNING,
    "No disruption budget in production",
    why="A node pool upgrade may take all replicas at once.",
    tiers=PRODUCTION_ONLY,
)
def no_disruption_budget(values: ValuesInput) -> Iterator[Finding]:
    """Components that could have a budget and don't."""
    for component in (*_BUDGETED, "workers.celery"):
        if component in running(values) and not budget_on(values, component):
            yield Finding(
                f"{component}.podDisruptionBudget",
                f"a node pool upgrade may stop every {component} pod at once",
                f"set {{key:{component}.podDisruptionBudget.enabled}}: true",
                requires=f"{component}.podDisruptionBudget.enabled",
            )
