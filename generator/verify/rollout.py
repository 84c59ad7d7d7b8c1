"""The condition on workloads: each rendered one is there, as rendered, rolled out and available."""

from __future__ import annotations

from generator.health import Health, Status, assess
from generator.kube.fields import condition, count, name_of, section, text
from generator.kube.resource import Key, Object
from generator.redaction.text import redact
from generator.verify.diagnosis import stuck
from generator.verify.pods import present_pods, template_difference
from generator.verify.result import Condition, Resource, failed, few, met, skipped, unknown, waiting
from generator.verify.seen import followed
from generator.verify.snapshot import Snapshot, Source
from generator.verify.target import WORKLOAD_KINDS, Expected


def assess_workloads(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every rendered Deployment, StatefulSet and DaemonSet runs what was rendered."""
    name, rendered = "workloads", expected.of_kind(*WORKLOAD_KINDS)
    if not rendered:
        return skipped(name, "no workload is rendered")
    for source in (Source.WORKLOADS, Source.PODS):
        if source in snapshot.unavailable:
            return unknown(name, snapshot.unavailable[source])
    judged = [(key, assess_workload(manifest, key, snapshot)) for key, manifest in rendered]
    broken = [f"{key.kind} {key.name}: {it.message}" for key, it in judged if is_broken(it)]
    if broken:
        return failed(name, few(broken))
    behind = [
        f"{key.kind} {key.name}: {it.message}"
        for key, it in judged
        if it.status is not Status.HEALTHY
    ]
    if behind:
        return waiting(name, few(behind))
    shown = few(f"{key.kind} {key.name}" for key, _ in judged)
    return met(name, f"{len(judged)} of {len(judged)} workloads run what was rendered", shown)


def assess_workload(rendered: Object, key: Key, snapshot: Snapshot) -> Health:
    """One workload's health, measured against its rendered template as well."""
    live = snapshot.find(key)
    if live is None:
        return Health(Status.MISSING, "not found in the cluster")
    difference = template_difference(rendered, live)
    if difference:
        return Health(Status.PROGRESSING, f"not as rendered yet: {difference}")
    health = assess(live)
    if health.status is Status.HEALTHY:
        return _left_behind(live) or health
    if health.status is Status.PROGRESSING:
        return _hopeless(live, snapshot) or health
    return health


def is_broken(health: Health) -> bool:
    """Whether waiting will not mend it."""
    return health.status in (Status.DEGRADED, Status.SUSPENDED)


def resources(expected: Expected, snapshot: Snapshot) -> tuple[Resource, ...]:
    """Every rendered object whose kind was read, with its health in the cluster."""
    found = []
    sources = followed()
    for key, manifest in expected.of_kind(*sources):
        if key.kind in WORKLOAD_KINDS:
            health = assess_workload(manifest, key, snapshot)
        else:
            live = snapshot.find(key)
            health = assess(live) if live else Health(Status.MISSING, _MISSING.get(key.kind, ""))
        if sources[key.kind] in snapshot.unavailable:
            health = Health(Status.UNKNOWN, snapshot.unavailable[sources[key.kind]])
        found.append(Resource(key, text(manifest, "apiVersion"), health))
    return tuple(found)


_MISSING = {"Job": "not found: not created yet, or removed after it finished"}


def _hopeless(live: Object, snapshot: Snapshot) -> Health | None:
    """What the workload's own status takes ten minutes to admit: refused pods, stuck pods."""
    refusal = condition(live, "ReplicaFailure")
    if refusal is not None and refusal.status == "True":
        return Health(Status.DEGRADED, redact(f"pods cannot be created: {refusal.words}"))
    for pod in present_pods(live, snapshot.pods):
        words = stuck(pod)
        if words:
            return Health(Status.DEGRADED, f"pod {name_of(pod)}: {words}")
    return None


def _left_behind(live: Object) -> Health | None:
    """Pods that stay old until they are deleted or the partition is lowered; Argo CD calls that
    Healthy."""
    strategy = section(live, "spec", "updateStrategy")
    partition = count(strategy, "rollingUpdate", "partition")
    if text(strategy, "type") == "OnDelete":
        reason = "the update strategy OnDelete waits until they are deleted"
    elif partition:
        reason = f"rollingUpdate.partition {partition} keeps them"
    else:
        return None
    status = section(live, "status")
    wanted = count(status, "replicas") or count(status, "desiredNumberScheduled")
    updated = count(status, "updatedReplicas") or count(status, "updatedNumberScheduled")
    if updated >= wanted:
        return None
    return Health(Status.PROGRESSING, f"{wanted - updated} of {wanted} pods are old: {reason}")
