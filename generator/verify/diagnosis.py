"""Why it does not come up: pods, quotas, hooks and warnings in their own words, secrets masked."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.kube.fields import at, condition, entries, integer, name_of, section, text
from generator.kube.resource import Object
from generator.redaction.text import redact
from generator.verify.application import Operation
from generator.verify.pods import LOOP_RESTARTS, end_words, is_leaving, is_task, statuses
from generator.verify.restarts import Restart, ended_lately
from generator.verify.result import Cause
from generator.verify.snapshot import Snapshot, moment_at
from generator.verify.target import Expected

_CANNOT_START = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
_LOG_LINES = 20
_MAX_CAUSES = 20
_MAX_WORDS = 600
_EVENT_AGE = datetime.timedelta(minutes=30)
_ROUTINE = frozenset({"Unhealthy", "FailedToRetrieveImagePullSecret", "FailedGetScale", "BackOff"})
"""Warnings that accompany a normal start, or repeat what the pod's status says better."""


def diagnose(
    expected: Expected,
    snapshot: Snapshot,
    operation: Operation | None,
    restarts: Iterable[Restart] = (),
) -> tuple[Cause, ...]:
    """Every reason that can be seen, most telling first, bounded, each said once."""
    found = [
        *_operation_causes(operation),
        *_pod_causes(snapshot),
        *_restart_causes(snapshot, restarts),
        *_refusals(snapshot),
        *_event_causes(expected, snapshot, operation),
    ]
    return tuple(dict.fromkeys(_masked(cause) for cause in found))[:_MAX_CAUSES]


def stuck(pod: Object) -> str:
    """Why this pod will not run however long one waits, in words, or nothing.

    A waiter that crashes is not stuck: its image gives up after a while and is started again.
    """
    for status in statuses(pod):
        waiting = section(status, "state", "waiting")
        if text(waiting, "reason") in _CANNOT_START:
            return redact(_waiting_words(status))
    for status in entries(pod, "status", "containerStatuses"):
        if _is_looping(status):
            return redact(end_words(status))
    return ""


def wanted_logs(snapshot: Snapshot) -> list[tuple[str, str, bool]]:
    """Pod, container and whether of its previous run: the logs that would explain a failure."""
    return [
        (name_of(pod), text(status, "name"), previous)
        for pod in _ours(snapshot)
        for status in statuses(pod)
        for previous in [bool(section(status, "lastState", "terminated"))]
        if _ended_badly(status) or ended_lately(status, snapshot.taken_at)
    ][:_MAX_CAUSES]


def _operation_causes(operation: Operation | None) -> Iterator[Cause]:
    for item in operation.results if operation else ():
        resource = f"{text(item, 'kind')}/{text(item, 'name')}"
        phase = text(item, "hookPhase")
        if text(item, "hookType") and phase in ("Failed", "Error"):
            yield Cause(f"{text(item, 'hookType')} hook {phase}", resource, text(item, "message"))
        elif text(item, "status") == "SyncFailed":
            yield Cause("SyncFailed", resource, text(item, "message"))


def _pod_causes(snapshot: Snapshot) -> Iterator[Cause]:
    for pod in _ours(snapshot):
        resource = f"Pod/{name_of(pod)}"
        scheduled = condition(pod, "PodScheduled")
        if scheduled is not None and scheduled.status == "False":
            yield Cause(scheduled.reason or "Unschedulable", resource, scheduled.message)
        for status in statuses(pod):
            cause = _container_cause(pod, status, snapshot)
            if cause is not None:
                yield cause
        if text(pod, "status", "phase") == "Failed" and text(pod, "status", "reason"):
            yield Cause(text(pod, "status", "reason"), resource, text(pod, "status", "message"))


def _container_cause(pod: Object, status: Mapping[str, Any], snapshot: Snapshot) -> Cause | None:
    name = text(status, "name")
    resource = f"Pod/{name_of(pod)}"
    reason = text(status, "state", "waiting", "reason")
    if reason in _CANNOT_START:
        return Cause(reason, resource, _waiting_words(status))
    if not _ended_badly(status):
        return None
    log = snapshot.logs.get((name_of(pod), name), ())[-_LOG_LINES:]
    return Cause(reason or "Crashed", resource, end_words(status), log)


def _restart_causes(snapshot: Snapshot, restarts: Iterable[Restart]) -> Iterator[Cause]:
    """Containers that run again: what is down now, `_pod_causes` tells."""
    for item in restarts:
        status = next((it for it in statuses(item.pod) if text(it, "name") == item.container), {})
        if status and not _ended_badly(status):
            log = snapshot.logs.get((name_of(item.pod), item.container), ())[-_LOG_LINES:]
            yield Cause(item.reason, f"Pod/{name_of(item.pod)}", item.words, log)


def _refusals(snapshot: Snapshot) -> Iterator[Cause]:
    for workload in snapshot.workloads:
        refusal = condition(workload, "ReplicaFailure")
        if refusal is not None and refusal.status == "True":
            resource = f"{text(workload, 'kind')}/{name_of(workload)}"
            yield Cause(refusal.reason, resource, refusal.message)


def _event_causes(
    expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Iterator[Cause]:
    """Recent warnings about objects of the release, the newest first.

    What a pod complained of before it became ready is over: a volume that was not bound yet.
    Conditions have whole seconds, new-style events parts of them.
    """
    since = snapshot.taken_at - _EVENT_AGE
    ready = {name_of(pod): _ready_since(pod) for pod in snapshot.pods}
    if operation is not None and operation.started_at is not None:
        since = max(since, operation.started_at)
    for event in sorted(snapshot.events, key=_event_order, reverse=True):
        about = section(event, "involvedObject") or section(event, "regarding")
        name, reason = text(about, "name"), text(event, "reason")
        if text(event, "type") != "Warning" or reason in _ROUTINE:
            continue
        when = _event_time(event) or snapshot.taken_at
        if not _is_ours(expected, snapshot, name) or when < since:
            continue
        done = ready.get(name) if text(about, "kind") == "Pod" else None
        if done is not None and when.replace(microsecond=0) <= done:
            continue
        words = text(event, "message") or text(event, "note")
        yield Cause(reason, f"{text(about, 'kind')}/{name}", words)


def _event_order(event: Object) -> tuple[str, str, str]:
    when = _event_time(event)
    return (when.isoformat() if when else "", name_of(event), text(event, "reason"))


def _event_time(event: Object) -> datetime.datetime | None:
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",)):
        found = moment_at(event, *path)
        if found is not None:
            return found
    return moment_at(event, "metadata", "creationTimestamp")


def _is_ours(expected: Expected, snapshot: Snapshot, name: str) -> bool:
    tasks = {name_of(pod) for pod in snapshot.pods if is_task(pod)}
    rendered = (at(item, "metadata", "name") for item in expected.manifests)
    return name not in tasks and any(
        name == own or name.startswith(f"{own}-") for own in (*rendered, expected.release) if own
    )


def _ready_since(pod: Object) -> datetime.datetime | None:
    for item in entries(pod, "status", "conditions"):
        if text(item, "type") == "Ready" and text(item, "status") == "True":
            return moment_at(item, "lastTransitionTime")
    return None


def _ours(snapshot: Snapshot) -> list[Object]:
    found = [pod for pod in snapshot.pods if not is_task(pod) and not is_leaving(pod)]
    return sorted(found, key=name_of)


def _is_looping(status: Mapping[str, Any]) -> bool:
    waiting = text(status, "state", "waiting", "reason") == "CrashLoopBackOff"
    crashed = bool(section(status, "lastState", "terminated")) and status.get("ready") is not True
    return (waiting or crashed) and (integer(status, "restartCount") or 0) >= LOOP_RESTARTS


def _ended_badly(status: Mapping[str, Any]) -> bool:
    if text(status, "state", "waiting", "reason") == "CrashLoopBackOff":
        return True
    if integer(status, "state", "terminated", "exitCode"):
        return True
    crashed = integer(status, "lastState", "terminated", "exitCode")
    return bool(crashed) and status.get("ready") is not True


def _waiting_words(status: Mapping[str, Any]) -> str:
    waiting = section(status, "state", "waiting")
    words = ": ".join(filter(None, (text(waiting, "reason"), text(waiting, "message"))))
    image = text(status, "image")
    shown = f" [{image}]" if image else ""
    return f"container {text(status, 'name')} cannot start: {words}{shown}"


def _masked(cause: Cause) -> Cause:
    log = tuple(_short(redact(line)) for line in redact("\n".join(cause.log)).splitlines())
    return Cause(cause.reason, cause.resource, _short(redact(cause.message)), log)


def _short(words: str) -> str:
    return words if len(words) <= _MAX_WORDS else words[: _MAX_WORDS - 1] + "…"
