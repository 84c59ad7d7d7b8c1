"""The condition on Airflow itself, from what its health endpoint answers.

The document's shape is that of `/api/v2/monitor/health` (Airflow 3) and `/health` (Airflow 2):
`metadatabase.status`, and for each job `status` with `latest_<job>_heartbeat`.
"""

from __future__ import annotations

import configparser
import contextlib
import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from generator.chart.version import parse_version
from generator.kube.fields import entries, name_of, section, text
from generator.kube.resource import Object
from generator.verify.application import Operation
from generator.verify.pods import containers, is_over, pods_of, started
from generator.verify.result import Condition, met, skipped, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, moment_at, written
from generator.verify.target import WORKLOAD_KINDS, Expected, component_of

_KEYS = {"dag-processor": "dag_processor"}
_SKEW = datetime.timedelta(seconds=5)
"""How far the clocks of Argo CD's cluster and Airflow's may be apart."""
_STALE = datetime.timedelta(seconds=90)
"""Airflow itself calls a component unhealthy after 30 s, unless its threshold is raised; this
catches an answer from a cache, and a component that hangs."""
_MISSED = 3
"""Heartbeats that may be missing where they are rarer than that."""

_INTERVALS = {
    "scheduler": ("scheduler", "scheduler_heartbeat_sec"),
    "triggerer": ("triggerer", "job_heartbeat_sec"),
    "dag-processor": ("scheduler", "job_heartbeat_sec"),
}
"""Section and option by component (airflow.jobs.job, `_heartrate`)."""
_REPORTED_SINCE = {"triggerer": (2, 6, 2), "dag-processor": (2, 7, 0)}
"""The Airflow release from which on the document has the component (its health endpoint's code)."""
_EVERY = datetime.timedelta(seconds=5)


def assess_airflow(
    expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Condition:
    """Metadata database and every rendered component healthy, with a heartbeat since the sync and
    since the newest pod of the component started.

    Airflow's own threshold may be raised above the 30 s of its default, so that it calls healthy
    what beat last in a pod that is gone. The pod's clock makes both times, so no skew is allowed.
    """
    name = "airflow"
    if expected.endpoint is None:
        return skipped(name, "no API server is rendered")
    if Source.AIRFLOW in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.AIRFLOW])
    if snapshot.airflow is None:
        return waiting(name, "Airflow's health endpoint has not been queried yet")
    document, way = snapshot.airflow.document, snapshot.airflow.way
    if snapshot.airflow.problem:
        return waiting(name, snapshot.airflow.problem, way)
    database = text(document, "metadatabase", "status")
    if database != "healthy":
        return waiting(name, f"metadata database: {database or 'no status'}", way)
    if Source.PODS in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.PODS])
    found = [
        (
            component,
            _unhealthy(document, expected, component)
            or _stale(document, expected, snapshot, component)
            or _before_sync(document, component, operation)
            or _before_pod(document, expected, snapshot, component),
        )
        for component in expected.airflow_components
    ]
    behind = [f"{component}: {words}" for component, words in found if words]
    if behind:
        return waiting(name, "; ".join(behind), way)
    silent = [component for component, _ in found if _is_silent(document, expected, component)]
    heard = [component for component, _ in found if component not in silent]
    words = f"healthy: {', '.join(('metadata database', *heard))}"
    if silent:
        words += f"; not reported by Airflow {expected.basis.airflow}: {', '.join(silent)}"
    return met(name, words, f"{way}; {_beats(document, expected)}".rstrip("; "))


def _is_silent(document: Mapping[str, Any], expected: Expected, component: str) -> bool:
    """Whether the document lacks the component because this Airflow reports none."""
    since = _REPORTED_SINCE.get(component)
    version = parse_version(expected.basis.airflow.version)
    if since is None or version is None or _key(component) in document:
        return False
    return (version.major, version.minor, version.patch) < since


def _unhealthy(document: Mapping[str, Any], expected: Expected, component: str) -> str:
    """What is wrong with a component, or nothing."""
    if _is_silent(document, expected, component):
        return ""
    status = text(section(document, _key(component)), "status")
    if status != "healthy":
        return status or "no status"
    return "" if _beat(document, component) else "healthy without a heartbeat"


def _before_sync(document: Mapping[str, Any], component: str, operation: Operation | None) -> str:
    since, beat = operation.started_at if operation else None, _beat(document, component)
    if since is None or beat is None or beat + _SKEW >= since:
        return ""
    return f"no heartbeat since the sync began; the last is of {written(beat)}"


def _stale(
    document: Mapping[str, Any], expected: Expected, snapshot: Snapshot, component: str
) -> str:
    beat = _beat(document, component)
    limit = max(_STALE, _MISSED * _interval(expected, component))
    if beat is not None and beat - snapshot.taken_at > _STALE:
        return (
            f"the last heartbeat is of {written(beat)}, which is in the future: the clocks differ"
        )
    is_old = beat is not None and snapshot.taken_at - beat > limit
    return f"the last heartbeat is of {written(beat)}" if beat and is_old else ""


def _before_pod(
    document: Mapping[str, Any], expected: Expected, snapshot: Snapshot, component: str
) -> str:
    """A last heartbeat that the newest pod cannot have made, or one that is ending may have."""
    times = [
        (moment, name_of(pod), verb)
        for pod in _pods(expected, snapshot, component)
        for moment, verb in (
            (started(pod, component), "started"),
            (moment_at(pod, "metadata", "deletionTimestamp"), "ends"),
        )
        if moment is not None
    ]
    beat, newest = _beat(document, component), max(times, default=None)
    if newest is None or beat is None or beat > newest[0]:
        return ""
    moment, pod, verb = newest
    return f"no heartbeat since pod {pod} {verb} at {written(moment)}; last at {written(beat)}"


def _pods(expected: Expected, snapshot: Snapshot, component: str) -> Iterator[Object]:
    """The component's pods, those that are ending included: they may beat to their end."""
    for _, rendered in expected.of_kind(*WORKLOAD_KINDS):
        if component_of(rendered) == component:
            for pod in pods_of(rendered, snapshot.pods, leaving=True):
                if not is_over(pod):
                    yield pod


def _beats(document: Mapping[str, Any], expected: Expected) -> str:
    found = ((name, _beat(document, name)) for name in expected.airflow_components)
    return ", ".join(f"{name} {written(beat)}" for name, beat in found if beat)


def _beat(document: Mapping[str, Any], component: str) -> datetime.datetime | None:
    key = _key(component)
    return moment_at(section(document, key), f"latest_{key}_heartbeat")


def _key(component: str) -> str:
    return _KEYS.get(component, component)


def _interval(expected: Expected, component: str) -> datetime.timedelta:
    """How often a component beats: by its environment, the rendered airflow.cfg, or by default."""
    part, option = _INTERVALS[component]
    for value in (
        *_by_environment(expected, component, part, option),
        *_by_file(expected, part, option),
    ):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.timedelta(seconds=float(value))
    return _EVERY


def _by_environment(expected: Expected, component: str, part: str, option: str) -> Iterator[str]:
    name = f"AIRFLOW__{part}__{option}".upper()
    for _, workload in expected.of_kind(*WORKLOAD_KINDS):
        if component_of(workload) == component:
            for container in containers(section(workload, "spec", "template", "spec")):
                yield from (
                    text(item, "value")
                    for item in entries(container, "env")
                    if text(item, "name") == name
                )


def _by_file(expected: Expected, part: str, option: str) -> Iterator[str]:
    for _, config in expected.of_kind("ConfigMap"):
        parser = configparser.RawConfigParser(strict=False)
        with contextlib.suppress(configparser.Error):
            parser.read_string(text(config, "data", "airflow.cfg"))
            yield parser.get(part, option)
