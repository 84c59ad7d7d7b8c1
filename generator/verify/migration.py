"""The condition on the database: migrated for this image, however short its Job's life was."""

from __future__ import annotations

import datetime

from generator.kube.fields import entries, integer, name_of, section, text
from generator.kube.resource import Object
from generator.verify.application import Operation
from generator.verify.jobs import by_job, by_result
from generator.verify.pods import WAITER, images, is_leaving, is_task
from generator.verify.result import Condition, State, met, skipped, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, moment_at, written
from generator.verify.target import WORKLOAD_KINDS, Expected


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
    present = by_job(name, job, expected, snapshot, operation)
    if present is not None and present.state is State.FAILED:
        return present
    found = present, by_result(name, job, operation), proven, _by_waiter(expected, snapshot)
    proofs = [item for item in found if item is not None and item.holds]
    if proofs:
        return proofs[0]
    nothing = f"the Job {job} has not run, and no new pod has passed its waiter"
    return found[1] or present or waiting(name, nothing)


def _by_waiter(expected: Expected, snapshot: Snapshot) -> Condition | None:
    if Source.PODS in snapshot.unavailable:
        return None
    wanted = {
        image
        for _, workload in expected.of_kind(*WORKLOAD_KINDS)
        for container, image in images(section(workload, "spec", "template", "spec")).items()
        if container == WAITER
    }
    passed = [(at, pod) for pod in snapshot.pods if (at := _passed(pod, wanted)) is not None]
    if not passed:
        return None
    at, pod = min(passed, key=lambda item: (item[0], name_of(item[1])))
    shown = f"pod {name_of(pod)}: {WAITER} ended with 0 at {written(at)}"
    return met("migration", "a pod with the rendered image found the database migrated", shown)


def _passed(pod: Object, wanted: set[str]) -> datetime.datetime | None:
    if is_task(pod) or is_leaving(pod) or images(section(pod, "spec")).get(WAITER) not in wanted:
        return None
    for status in entries(pod, "status", "initContainerStatuses"):
        ended = section(status, "state", "terminated")
        if text(status, "name") == WAITER and integer(ended, "exitCode") == 0:
            return moment_at(ended, "finishedAt")
    return None
