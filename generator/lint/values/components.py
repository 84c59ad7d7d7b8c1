"""Which components of the chart a set of values runs, and with how many replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup
from generator.helmvalues.values import ValuesInput, as_number


def running(values: ValuesInput) -> list[str]:
    """The long-running components that the chart will render, by their value key."""
    server = "apiServer" if values.airflow3 else "webserver"
    names = [server, "scheduler", "dagProcessor", "triggerer"]
    names = [name for name in names if values.get(f"{name}.enabled") is not False]
    if values.airflow2 and not values.on("dagProcessor.enabled"):
        names = [name for name in names if name != "dagProcessor"]
    if values.celery:
        names += ["workers.celery"]
        names += ["redis"] if values.on("redis.enabled") else []
        names += ["flower"] if values.on("flower.enabled") else []
    names += ["statsd"] if values.on("statsd.enabled") else []
    names += ["pgbouncer"] if values.on("pgbouncer.enabled") else []
    if values.on("otelCollector.tracesEnabled") or values.on("otelCollector.metricsEnabled"):
        names += ["otelCollector"]
    return names


def budget(values: ValuesInput, component: str) -> Mapping[str, Any]:
    """The disruption budget's fields as rendered; only the workers' replaces the default."""
    if component == "workers.celery":
        config = values.worker("podDisruptionBudget.config")
        own = lookup(values.user, "workers.celery.podDisruptionBudget.config")
        config = own if isinstance(own, Mapping) and own else config
    else:
        config = values.get(f"{component}.podDisruptionBudget.config")
    if not isinstance(config, Mapping):
        return {}
    return {key: item for key, item in config.items() if item is not None}


def budget_on(values: ValuesInput, component: str) -> bool:
    if component == "workers.celery":
        return bool(values.worker("podDisruptionBudget.enabled"))
    return values.on(f"{component}.podDisruptionBudget.enabled")


def scaled(values: ValuesInput, component: str) -> bool:
    if component == "workers.celery":
        return bool(values.worker("keda.enabled") or values.worker("hpa.enabled"))
    return values.on(f"{component}.hpa.enabled") or values.on(f"{component}.keda.enabled")


def least(values: ValuesInput, component: str) -> float:
    """The fewest replicas that the component runs with."""
    for scaler in ("keda", "hpa"):
        prefix = f"{component}.{scaler}"
        on = (
            values.worker(f"{scaler}.enabled")
            if component == "workers.celery"
            else values.on(f"{prefix}.enabled")
        )
        if on:
            number = (
                as_number(values.worker(f"{scaler}.minReplicaCount"))
                if component == "workers.celery"
                else values.number(f"{prefix}.minReplicaCount")
            )
            return 0 if number is None else number
    number = (
        as_number(values.worker("replicas"))
        if component == "workers.celery"
        else values.number(f"{component}.replicas")
    )
    return 1 if number is None else number
