"""Pods: waiting, failing and finished containers, by gitops-engine's `health_pod.go`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.health.status import Health, degraded, healthy, progressing, unknown
from generator.kube.fields import condition, conditions, entries, integer, section, text
from generator.kube.resource import Object

_IGNORE_RESTART_POLICY = "argocd.argoproj.io/ignore-restart-policy"
_HOOK_ANNOTATIONS = ("argocd.argoproj.io/hook", "helm.sh/hook")


def assess_pod(manifest: Object) -> Health:
    """Ready for a long-running pod; finished for one that runs to completion.

    A pod that is not restarted for ever is often a hook: a failing start of its containers is
    still Progressing, because the hook may yet succeed.
    """
    long_running = _is_long_running(manifest)
    failures = [_waiting_words(item) for item in _statuses(manifest) if _is_failing_start(item)]
    if long_running and failures:
        return degraded("; ".join(failures))
    match text(manifest, "status", "phase"):
        case "Pending":
            return progressing(_pending_words(manifest))
        case "Succeeded":
            return healthy(_own_words(manifest) or "every container finished")
        case "Failed":
            return degraded(_failure_words(manifest))
        case "Running" if long_running:
            return _assess_running(manifest)
        case "Running":
            return progressing(_own_words(manifest) or "running; it has to finish")
        case "":
            return progressing("waiting to be taken in by the scheduler")
        case _:
            return unknown(_own_words(manifest) or "the node has stopped reporting")


def _assess_running(manifest: Object) -> Health:
    ready = condition(manifest, "Ready")
    if ready is not None and ready.status == "True":
        return healthy(_own_words(manifest) or "ready")
    ended = [item for item in _statuses(manifest) if section(item, "lastState", "terminated")]
    if ended:
        return degraded("; ".join(_restart_words(item) for item in ended))
    waiting = [text(item, "name") for item in _statuses(manifest) if item.get("ready") is not True]
    names = ", ".join(waiting) or "a readiness gate"
    return progressing(f"running, but not ready: {names}; its readiness or startup probe decides")


def _is_long_running(manifest: Object) -> bool:
    policy = text(manifest, "spec", "restartPolicy") or "Always"
    annotations = section(manifest, "metadata", "annotations")
    ignored = annotations.get(_IGNORE_RESTART_POLICY) == "true"
    is_hook = any(name in annotations for name in _HOOK_ANNOTATIONS)
    return policy == "Always" or (ignored and not is_hook)


def _statuses(manifest: Object) -> list[Mapping[str, Any]]:
    return entries(manifest, "status", "containerStatuses")


def _is_failing_start(status: Mapping[str, Any]) -> bool:
    reason = text(status, "state", "waiting", "reason")
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff"))


def _waiting_words(status: Mapping[str, Any]) -> str:
    waiting = section(status, "state", "waiting")
    words = ": ".join(filter(None, (text(waiting, "reason"), text(waiting, "message"))))
    return f"container {text(status, 'name')}: {words}"


def _restart_words(status: Mapping[str, Any]) -> str:
    ended = section(status, "lastState", "terminated")
    times = integer(status, "restartCount") or 1
    return (
        f"container {text(status, 'name')} is not ready after {times} restarts; it last ended with "
        f"{_end_words(ended)}: see `kubectl logs --previous`"
    )


def _end_words(ended: Mapping[str, Any]) -> str:
    reason = text(ended, "reason")
    code = integer(ended, "exitCode")
    return " ".join(filter(None, (reason, f"exit code {code}" if code is not None else "")))


def _pending_words(manifest: Object) -> str:
    unscheduled = condition(manifest, "PodScheduled")
    if unscheduled is not None and unscheduled.status == "False":
        return f"cannot be scheduled: {unscheduled.words}"
    blocked = [
        _waiting_words(item)
        for item in (*entries(manifest, "status", "initContainerStatuses"), *_statuses(manifest))
        if _is_failing_start(item)
    ]
    return "; ".join(blocked) or _own_words(manifest) or "its containers are starting"


def _failure_words(manifest: Object) -> str:
    own = _own_words(manifest)
    if own:
        return own
    for item in (*entries(manifest, "status", "initContainerStatuses"), *_statuses(manifest)):
        ended = section(item, "state", "terminated")
        if text(ended, "message"):
            return text(ended, "message")
        if text(ended, "reason") == "OOMKilled" or integer(ended, "exitCode"):
            return f"container {text(item, 'name')} failed with {_end_words(ended)}"
    reasons = [item.words for item in conditions(manifest) if item.status == "False" and item.words]
    return "; ".join(reasons) or "the pod failed and left no reason; see its events"


def _own_words(manifest: Object) -> str:
    status = section(manifest, "status")
    return ": ".join(filter(None, (text(status, "reason"), text(status, "message"))))
