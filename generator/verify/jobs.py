"""The condition on the Jobs of a sync, and how the end of one is read: by the Job, by the hook."""

from __future__ import annotations

from generator.health import Status, assess
from generator.kube.fields import name_of, section, text
from generator.kube.resource import Object
from generator.verify.application import Operation
from generator.verify.pods import images
from generator.verify.result import Condition, State, failed, few, met, skipped, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, moment_at, written
from generator.verify.target import Expected

_HOOK = "argocd.argoproj.io/hook"


def assess_jobs(expected: Expected, snapshot: Snapshot, operation: Operation | None) -> Condition:
    """Every rendered Job succeeded, except the migration, which has its own condition.

    A hook is often deleted after it succeeded, and does not run without a sync: then its end was
    not seen, and the message names it.
    """
    name = "jobs"
    rendered = [
        item
        for key, item in expected.of_kind("Job")
        if key.name != expected.migration_job and "SyncFail" not in _hooks(item)
    ]
    if not rendered:
        return skipped(name, "no other Job is rendered")
    if Source.JOBS in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.JOBS])
    judged = {name_of(item): _end(name, item, expected, snapshot, operation) for item in rendered}
    for state, condition in ((State.FAILED, failed), (State.WAITING, waiting)):
        words = [it.message for it in judged.values() if it is not None and it.state is state]
        if words:
            return condition(name, few(words))
    unseen = [job for job, item in judged.items() if item is None]
    ended = [job for job, item in judged.items() if item is not None]
    end = f"complete: {few(ended)}" if ended else "none was found"
    note = f"; end not seen: {few(unseen)}" if unseen else ""
    evidence = [item.evidence for item in judged.values() if item is not None]
    return met(name, end + note, few(evidence) or "no Job with the rendered image is left")


def by_job(
    name: str, job: str, expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Condition | None:
    """What the existing Job shows; None without a Job that this sync is known to have created."""
    found = _present_job(job, expected, snapshot, operation)
    if found is None:
        return None
    health = assess(found)
    shown = f"Job {job}: {health.message}"
    if health.status is Status.HEALTHY:
        ended = moment_at(found, "status", "completionTime")
        at = f" at {written(ended)}" if ended else ""
        return met(name, f"the Job {job} is complete", f"{shown}{at}")
    if health.status is Status.DEGRADED:
        return failed(name, shown, shown)
    return waiting(name, shown)


def by_result(name: str, job: str, operation: Operation | None) -> Condition | None:
    """Argo CD keeps a hook's end in the operation after the hook is gone."""
    for item in operation.results if operation else ():
        if text(item, "kind") != "Job" or text(item, "name") != job:
            continue
        phase, words = text(item, "hookPhase"), text(item, "message")
        shown = f"hook {job}: {phase} {words}".strip()
        if phase == "Succeeded":
            return met(name, f"the hook {job} succeeded in the sync", shown)
        if phase in ("Failed", "Error") or text(item, "status") == "SyncFailed":
            words = f"the hook {job} {phase.lower() or 'was refused'}: {words}"
            return failed(name, words, shown)
        if phase or text(item, "hookType"):
            return waiting(name, f"the hook {job} is {phase or 'waiting'}: {words}")
    return None


def _end(
    name: str,
    rendered: Object,
    expected: Expected,
    snapshot: Snapshot,
    operation: Operation | None,
) -> Condition | None:
    job = name_of(rendered)
    present = by_job(name, job, expected, snapshot, operation)
    result = by_result(name, job, operation)
    found = present or result
    if found is None and not _hooks(rendered):
        return waiting(name, f"Job {job}: not found in the cluster with the rendered image")
    return found


def _present_job(
    name: str, expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Object | None:
    """The Job with the rendered image, made by this operation if there was one."""
    began = operation.started_at if operation else None
    for job in snapshot.jobs:
        if name_of(job) != name:
            continue
        rendered = [item for key, item in expected.of_kind("Job") if key.name == name]
        if rendered and _images(rendered[0]) != _images(job):
            return None
        created = moment_at(job, "metadata", "creationTimestamp")
        finished = assess(job).status in (Status.HEALTHY, Status.DEGRADED)
        is_old = bool(began and created and created < began)
        return None if is_old and finished and _hooks(job) else job
    return None


def _hooks(job: Object) -> str:
    """What makes each sync run it again, so that an older one proves nothing about this sync."""
    annotations = section(job, "metadata", "annotations")
    return text(annotations, _HOOK) or text(annotations, "helm.sh/hook")


def _images(job: Object) -> dict[str, str]:
    return images(section(job, "spec", "template", "spec"))
