"""The condition on the database: migrated for this image, however short its Job's life was."""

from __future__ import annotations

import datetime

from generator.health import Status, assess
from generator.kube.fields import entries, integer, name_of, section, text
from generator.kube.resource import Object
from generator.verify.application import Operation
from generator.verify.pods import images, is_leaving, is_task
from generator.verify.result import Condition, failed, met, skipped, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, moment_at, written
from generator.verify.target import WORKLOAD_KINDS, Expected

_WAITER = "wait-for-airflow-migrations"
"""The chart's init container: it ends with 0 only when the database is at its image's head."""


def assess_migration(
    expected: Expected, snapshot: Snapshot, operation: Operation | None, proven: Condition | None
) -> Condition:
    """By the Job, the hook's result in the operation, or a new pod's waiter; whichever is left.

    `operation` is the sync of our commit, if there is one, and `proven` an earlier proof of that
    same sync; only a Job that fails overrules it.
    """
    name, job = "migration", expected.migration_job
    if not job:
        return skipped(name, "no migration Job is rendered")
    if Source.JOBS in snapshot.unavailable and proven is None:
        return unknown(name, snapshot.unavailable[Source.JOBS])
    by_job = _by_job(expected, snapshot, operation)
    if by_job is not None and by_job.state == "failed":
        return by_job
    found = by_job, _by_result(job, operation), proven, _by_waiter(expected, snapshot)
    proofs = [item for item in found if item is not None and item.holds]
    if proofs:
        return proofs[0]
    by_result = found[1]
    if by_result is not None:
        return by_result
    return by_job or waiting(
        name, f"the Job {job} has not run, and no new pod has passed its waiter"
    )


def _by_job(
    expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Condition | None:
    job = _present_job(expected, snapshot, operation)
    if job is None:
        return None
    name, health = "migration", assess(job)
    shown = f"Job {name_of(job)}: {health.message}"
    if health.status is Status.HEALTHY:
        ended = moment_at(job, "status", "completionTime")
        at = f" at {written(ended)}" if ended else ""
        return met(name, "the migration Job is complete", f"{shown}{at}")
    if health.status is Status.DEGRADED:
        return failed(name, shown, shown)
    return waiting(name, shown)


def _present_job(
    expected: Expected, snapshot: Snapshot, operation: Operation | None
) -> Object | None:
    """The Job with the rendered image, made by this operation if there was one."""
    began = operation.started_at if operation else None
    for job in snapshot.jobs:
        if name_of(job) != expected.migration_job:
            continue
        rendered = [item for key, item in expected.of_kind("Job") if key.name == name_of(job)]
        if rendered and _images(rendered[0]) != _images(job):
            return None
        created = moment_at(job, "metadata", "creationTimestamp")
        finished = assess(job).status in (Status.HEALTHY, Status.DEGRADED)
        is_old = bool(began and created and created < began)
        return None if is_old and finished and _is_recreated(job) else job
    return None


def _is_recreated(job: Object) -> bool:
    """Whether each sync makes it anew, so that an older one proves nothing about this sync."""
    return "argocd.argoproj.io/hook" in section(job, "metadata", "annotations")


def _by_result(job: str, operation: Operation | None) -> Condition | None:
    """Argo CD keeps a hook's end in the operation after the hook is gone."""
    name = "migration"
    for item in operation.results if operation else ():
        if text(item, "kind") != "Job" or text(item, "name") != job:
            continue
        phase, words = text(item, "hookPhase"), text(item, "message")
        shown = f"hook {job}: {phase} {words}".strip()
        if phase == "Succeeded":
            return met(name, "the migration hook succeeded in the sync", shown)
        if phase in ("Failed", "Error") or text(item, "status") == "SyncFailed":
            return failed(
                name, f"the migration hook {phase.lower() or 'was refused'}: {words}", shown
            )
        return waiting(name, f"the migration hook is {phase or 'waiting'}: {words}")
    return None


def _by_waiter(expected: Expected, snapshot: Snapshot) -> Condition | None:
    if Source.PODS in snapshot.unavailable:
        return None
    wanted = {
        image
        for _, workload in expected.of_kind(*WORKLOAD_KINDS)
        for container, image in images(section(workload, "spec", "template", "spec")).items()
        if container == _WAITER
    }
    passed = [(at, pod) for pod in snapshot.pods if (at := _passed(pod, wanted)) is not None]
    if not passed:
        return None
    at, pod = min(passed, key=lambda item: (item[0], name_of(item[1])))
    shown = f"pod {name_of(pod)}: {_WAITER} ended with 0 at {written(at)}"
    return met("migration", "a pod with the rendered image found the database migrated", shown)


def _passed(pod: Object, wanted: set[str]) -> datetime.datetime | None:
    if is_task(pod) or is_leaving(pod) or images(section(pod, "spec")).get(_WAITER) not in wanted:
        return None
    for status in entries(pod, "status", "initContainerStatuses"):
        ended = section(status, "state", "terminated")
        if text(status, "name") == _WAITER and integer(ended, "exitCode") == 0:
            return moment_at(ended, "finishedAt")
    return None


def _images(job: Object) -> dict[str, str]:
    return images(section(job, "spec", "template", "spec"))
