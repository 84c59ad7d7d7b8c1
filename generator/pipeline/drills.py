"""Whether an environment's last backup and last restore drill are as young as policy wants.

Read are the finished Jobs of the two CronJobs in the environment's cluster, which verification may
list anyhow; neither the storage nor a backup itself.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.definition.definition import Settings
from generator.kube.fields import entries, is_true, name_of, text
from generator.kube.resource import Object
from generator.model.base import seconds_of
from generator.model.repository import TierPolicy
from generator.pipeline.generate import Built
from generator.pipeline.rehearsals import Standing
from generator.release import backup_names
from generator.release.release import Release

if TYPE_CHECKING:
    from generator.cluster import Cluster

Clusters = Callable[[str], "Cluster"]
"""Opens the cluster of a name in gen-env.yaml; raises UserError with the reason why not."""

_HOUR = 3600.0
_PARTS = {
    "backup": (backup_names.BACKUP, "backup"),
    "drill": (backup_names.DRILL, "restore drill"),
}


def nowhere(name: str) -> Cluster:
    """Opens none."""
    raise UserError(f"cluster {name} was not asked")


def by_context(settings: Settings) -> Clusters:
    """Those of the kubeconfig, by the contexts in gen-env.yaml: never the current context, which
    may be another cluster with an environment of the same name."""

    def opened(name: str) -> Cluster:
        from generator.cluster import Cluster

        known = settings.repository.clusters.get(name)
        if known is None or not known.context:
            raise UserError(f"gen-env.yaml has no clusters.{name}.context")
        return Cluster.connect(known.context)

    return opened


def standings(
    built: Built, tier: TierPolicy | None, clusters: Clusters, now: datetime.datetime
) -> Mapping[str, Standing]:
    """By gate, `backup` and `drill`, where the tier has a bound; what cannot be read is a fault.

    `built` is the environment as it runs now, `now` is aware.
    """
    bounds = {"backup": tier.backup, "drill": tier.drill} if tier else {}
    wanted = {gate: bound for gate, bound in bounds.items() if bound is not None}
    if not wanted:
        return {}
    try:
        release = _release(built)
        jobs = _jobs(release, clusters)
        return {gate: _standing(release, gate, bound, jobs, now) for gate, bound in wanted.items()}
    except UserError as error:
        return {gate: Standing("", f"not read: {error.message}") for gate in wanted}


def _release(built: Built) -> Release:
    if built.release is None:
        raise UserError(f"the definition of {built.name} gives no release")
    if backup_names.own(built.release.environment) is None:
        raise UserError(f"gen-env makes no backup of {built.name}")
    return built.release


def _jobs(release: Release, clusters: Clusters) -> Sequence[Object]:
    from generator.cluster import kinds

    environment = release.environment
    with contextlib.closing(clusters(environment.destination.cluster)) as cluster:
        return cluster.list(kinds.JOBS, environment.namespace).items


def _standing(
    release: Release, gate: str, bound: str, jobs: Sequence[Object], now: datetime.datetime
) -> Standing:
    part, word = _PARTS[gate]
    owner = release.topology.names.of_part(part)
    ended = [end for job in jobs if _owned(job, owner) and (end := _end(job))]
    where = f"CronJob {owner} in namespace {release.environment.namespace}"
    if not ended:
        return Standing("", f"no {word} has ended: no finished Job of {where}")
    time, good, name = max(ended)
    age = (now - time).total_seconds()
    if age < -_HOUR:
        return Standing("", f"the last {word} ({name}) is of the future: a clock is wrong")
    old = counted(round(max(age, 0.0) / _HOUR), "hour")
    if not good:
        return Standing("", f"the last {word} failed {old} ago ({name})")
    if age > seconds_of(bound):
        return Standing("", f"the last {word} is {old} old, {bound} are allowed ({name})")
    return Standing(f"the last {word} succeeded {old} ago ({name}), {bound} are allowed")


def _owned(job: Object, owner: str) -> bool:
    """Whether the CronJob made it, or a person from it (`kubectl create job --from`)."""
    return any(
        text(item, "kind") == "CronJob" and text(item, "name") == owner
        for item in entries(job, "metadata", "ownerReferences")
    )


def _end(job: Object) -> tuple[datetime.datetime, bool, str] | None:
    """When it ended, whether well, and its name; None while it runs."""
    good = is_true(job, "Complete")
    if not good and not is_true(job, "Failed"):
        return None
    kind = "Complete" if good else "Failed"
    times = (
        text(item, "lastTransitionTime")
        for item in entries(job, "status", "conditions")
        if text(item, "type") == kind
    )
    try:
        time = datetime.datetime.fromisoformat(next(times, ""))
    except ValueError:
        raise UserError(f"Job {name_of(job)} does not say when it ended") from None
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)), good, name_of(job)
