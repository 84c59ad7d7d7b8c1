"""The condition on restarts: a container that ends again and again is Available in between.

Scheduler and workers have no readiness probe, so their pods are ready as soon as they start.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.health import assess
from generator.kube.fields import entries, integer, name_of, section, text
from generator.kube.resource import Object
from generator.redaction.text import redact
from generator.verify.pods import (
    LOOP_RESTARTS,
    WAITER,
    end_words,
    present_pods,
    statuses,
    template_difference,
)
from generator.verify.result import Condition, Count, Counts, State, failed, few, met, unknown
from generator.verify.result import waiting as waiting_for
from generator.verify.snapshot import Snapshot, Source, moment_at, written
from generator.verify.target import WORKLOAD_KINDS, Expected

FORGIVEN = datetime.timedelta(minutes=10)
"""After a run of that length the kubelet forgets earlier ends (kuberuntime's back-off)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Restart:
    """A container that ended, or a pod that failed, too recently to count as healthy again."""

    pod: Object
    container: str
    reason: str
    words: str
    state: State


def assess_restarts(expected: Expected, snapshot: Snapshot, counts: Counts) -> Condition:
    """No container of the rendered workloads ended within the settle window, or within the time
    that it ran before; `counts` are those of `counted`, this look's included."""
    name = "restarts"
    for source in (Source.PODS, Source.WORKLOADS):
        if source in snapshot.unavailable:
            return unknown(name, snapshot.unavailable[source])
    found = restarts(expected, snapshot, counts)
    for state, condition in ((State.FAILED, failed), (State.WAITING, waiting_for)):
        words = [f"pod {name_of(it.pod)}: {it.words}" for it in found if it.state is state]
        if words:
            return condition(name, few(words))
    pods = list(_pods(expected, snapshot))
    before = sum(integer(item, "restartCount") or 0 for pod in pods for item in statuses(pod))
    shown = f"pods: {len(pods)}; restarts before: {before}"
    return met(name, "no container was restarted and no pod was evicted recently", shown)


def counted(expected: Expected, snapshot: Snapshot, before: Counts) -> Counts:
    """How often each container was restarted, and when that was seen to rise.

    A count without any time beside it counts as risen when it is first seen.
    """
    if Source.PODS in snapshot.unavailable:
        return before
    found = {}
    for pod in _pods(expected, snapshot):
        for key, number, at in _readings(pod):
            known = before.get(key)
            if known and number < known.restarts:
                known = None  # another pod of the same name
            rose = known.rose_at if known else None
            if (known and number > known.restarts) or (number and not known and at is None):
                rose = snapshot.taken_at
            found[key] = Count(number, rose)
    return found


def restarts(expected: Expected, snapshot: Snapshot, counts: Counts) -> list[Restart]:
    """Every one that keeps the environment from being verified, in the order of the pods."""
    window = datetime.timedelta(seconds=expected.settle_seconds)
    return [
        item
        for pod in _pods(expected, snapshot)
        for item in _restarts_of(pod, snapshot.taken_at, counts, window)
    ]


def ended_lately(status: Mapping[str, Any], now: datetime.datetime) -> bool:
    """Whether the log of the run before would explain something."""
    ended = moment_at(status, "lastState", "terminated", "finishedAt")
    return ended is not None and now - ended < FORGIVEN


def _pods(expected: Expected, snapshot: Snapshot) -> Iterator[Object]:
    """The present pods of workloads that are as rendered: others do not show the commit."""
    for key, rendered in expected.of_kind(*WORKLOAD_KINDS):
        live = snapshot.find(key)
        if live is not None and not template_difference(rendered, live):
            yield from sorted(present_pods(live, snapshot.pods), key=name_of)


def _readings(pod: Object) -> Iterator[tuple[tuple[str, str], int, datetime.datetime | None]]:
    if _has_failed(pod):
        yield (_identity(pod), ""), 1, _failed_at(pod)
    for status, done in _containers(pod):
        count = integer(status, "restartCount") or 0
        yield (_identity(pod), text(status, "name")), count, _newest(_times(status, done=done))


def _containers(pod: Object) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The status of each container, and whether it is an init container that has done its work."""
    for status in entries(pod, "status", "initContainerStatuses"):
        yield status, integer(status, "state", "terminated", "exitCode") == 0
    for status in entries(pod, "status", "containerStatuses"):
        yield status, False


def _restarts_of(
    pod: Object, now: datetime.datetime, counts: Counts, window: datetime.timedelta
) -> Iterator[Restart]:
    if _has_failed(pod):
        yield from _failure(pod, now, counts, window)
        return
    for status, done in _containers(pod):
        name = text(status, "name")
        known = counts.get((_identity(pod), name))
        last = _newest([*_times(status, done=done), known.rose_at if known else None])
        down, run = not done and _is_down(status), _previous_run(status)
        needed = window if done or run is None else max(window, min(run, FORGIVEN))
        if not down and (last is None or now - last >= needed):
            continue
        loops = not done and name != WAITER and _is_loop(status, run)
        shown = {**status, "state": {}} if done else status
        words = end_words(shown) + (f", last at {written(last)}" if last else "")
        state = State.FAILED if loops else State.WAITING
        yield Restart(pod, name, _reason(status), redact(words), state)


def _failure(
    pod: Object, now: datetime.datetime, counts: Counts, window: datetime.timedelta
) -> Iterator[Restart]:
    """A pod that was evicted or failed otherwise: its successor has to last."""
    known = counts.get((_identity(pod), ""))
    at = _failed_at(pod) or (known.rose_at if known else None)
    if at is None or now - at < window:
        reason = text(pod, "status", "reason") or "Failed"
        yield Restart(pod, "", reason, redact(assess(pod).message), State.WAITING)


def _times(status: Mapping[str, Any], *, done: bool) -> list[datetime.datetime | None]:
    """When the container ended, or began again; the good end of an init container is none."""
    ended = moment_at(status, "lastState", "terminated", "finishedAt")
    if done:
        return [ended]
    began = moment_at(status, "state", "running", "startedAt")
    return [
        ended,
        moment_at(status, "state", "terminated", "finishedAt"),
        began if integer(status, "restartCount") else None,
    ]


def _newest(times: Iterable[datetime.datetime | None]) -> datetime.datetime | None:
    return max((item for item in times if item is not None), default=None)


def _is_down(status: Mapping[str, Any]) -> bool:
    backs_off = text(status, "state", "waiting", "reason") == "CrashLoopBackOff"
    return backs_off or bool(section(status, "state", "terminated"))


def _is_loop(status: Mapping[str, Any], run: datetime.timedelta | None) -> bool:
    often = (integer(status, "restartCount") or 0) >= LOOP_RESTARTS
    return often and (run is None or run < FORGIVEN)


def _previous_run(status: Mapping[str, Any]) -> datetime.timedelta | None:
    """How long the container ran before it ended."""
    for state in ("state", "lastState"):
        ended = section(status, state, "terminated")
        began, end = moment_at(ended, "startedAt"), moment_at(ended, "finishedAt")
        if began is not None and end is not None:
            return end - began
    return None


def _reason(status: Mapping[str, Any]) -> str:
    ended = section(status, "state", "terminated") or section(status, "lastState", "terminated")
    reason = text(status, "state", "waiting", "reason") or text(ended, "reason")
    return "Restarted" if reason in ("", "Error") else reason


def _has_failed(pod: Object) -> bool:
    return text(pod, "status", "phase") == "Failed"


def _failed_at(pod: Object) -> datetime.datetime | None:
    ends = [moment_at(item, "state", "terminated", "finishedAt") for item in statuses(pod)]
    turned = [
        moment_at(item, "lastTransitionTime") for item in entries(pod, "status", "conditions")
    ]
    return _newest(ends) or _newest(turned)


def _identity(pod: Object) -> str:
    return text(pod, "metadata", "uid") or name_of(pod)
