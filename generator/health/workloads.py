"""Deployment, StatefulSet, DaemonSet and ReplicaSet.

The rules are those of gitops-engine (`pkg/health/health_deployment.go` and its neighbours),
which follow `kubectl rollout status`.
"""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy, progressing, suspended
from generator.kube.fields import condition, count, integer, name_of, section, text
from generator.kube.resource import Object

_DEFAULT_DEADLINE = 600
"""Seconds: `spec.progressDeadlineSeconds` of a Deployment that sets none."""


def assess_deployment(manifest: Object) -> Health:
    """Rolled out: every replica is of the present template and available, no old one is left."""
    if section(manifest, "spec").get("paused") is True:
        return suspended("the Deployment is paused: `kubectl rollout resume` lets it go on")
    if _unobserved(manifest):
        return progressing(_waiting_for_controller(manifest))
    stalled = condition(manifest, "Progressing")
    if stalled is not None and stalled.reason == "ProgressDeadlineExceeded":
        return degraded(_over_deadline(manifest))
    return _deployment_counts(manifest)


def assess_stateful_set(manifest: Object) -> Health:
    """Every pod ready and at the update revision, or what the update strategy asks for."""
    if not section(manifest, "status") or not count(manifest, "status", "observedGeneration"):
        return progressing(_waiting_for_controller(manifest))
    if _unobserved(manifest):
        return progressing(_waiting_for_controller(manifest))
    wanted, ready = _replicas(manifest), count(manifest, "status", "readyReplicas")
    if ready < wanted:
        return progressing(f"{ready} of {wanted} pods are ready; check the pods that are not")
    return _stateful_rollout(manifest, wanted=wanted)


def assess_daemon_set(manifest: Object) -> Health:
    """Every node that should run a pod runs the present one, and it is available."""
    if _unobserved(manifest) or not section(manifest, "status"):
        return progressing(_waiting_for_controller(manifest))
    wanted = count(manifest, "status", "desiredNumberScheduled")
    updated = count(manifest, "status", "updatedNumberScheduled")
    if text(manifest, "spec", "updateStrategy", "type") == "OnDelete":
        return healthy(f"{updated} of {wanted} pods are new; the others change when deleted")
    if updated < wanted:
        return progressing(f"rolling out: {updated} of {wanted} nodes run the new pod")
    available = count(manifest, "status", "numberAvailable")
    if available < wanted:
        return progressing(f"{available} of {wanted} new pods are available")
    return healthy(f"{available} of {wanted} pods are available")


def assess_replica_set(manifest: Object) -> Health:
    """Every wanted replica is available; a refused pod (quota, admission) is a failure."""
    if _unobserved(manifest):
        return progressing(_waiting_for_controller(manifest))
    failure = condition(manifest, "ReplicaFailure")
    if failure is not None and failure.status == "True":
        return degraded(f"pods cannot be created: {failure.words}")
    wanted, available = _replicas(manifest), count(manifest, "status", "availableReplicas")
    if available < wanted:
        return progressing(f"{available} of {wanted} replicas are available")
    return healthy(f"{available} of {wanted} replicas are available")


def _deployment_counts(manifest: Object) -> Health:
    wanted, updated = _replicas(manifest), count(manifest, "status", "updatedReplicas")
    existing = count(manifest, "status", "replicas")
    available = count(manifest, "status", "availableReplicas")
    refused = _refusal(manifest)
    if updated < wanted:
        return progressing(f"rolling out: {updated} of {wanted} replicas are new{refused}")
    if existing > updated:
        return progressing(f"rolling out: {existing - updated} old replicas still have to end")
    if available < updated:
        return progressing(f"{available} of {updated} new replicas are available{refused}")
    return healthy(f"{available} of {wanted} replicas are new and available")


def _stateful_rollout(manifest: Object, *, wanted: int) -> Health:
    status = section(manifest, "status")
    updated = count(status, "updatedReplicas")
    strategy = section(manifest, "spec", "updateStrategy")
    if text(strategy, "type") == "OnDelete":
        return healthy(
            f"{wanted} of {wanted} pods ready; the update strategy changes them when deleted"
        )
    if section(strategy, "rollingUpdate"):
        goal = max(wanted - count(strategy, "rollingUpdate", "partition"), 0)
        if updated < goal:
            return progressing(f"rolling out: {updated} of {goal} pods are new")
        return healthy(f"{wanted} of {wanted} pods ready, {updated} of them new ({goal} had to be)")
    if text(status, "updateRevision") != text(status, "currentRevision"):
        return progressing(
            f"rolling out: {updated} of {wanted} pods are at {text(status, 'updateRevision')}"
        )
    return healthy(f"{wanted} of {wanted} pods ready at {text(status, 'currentRevision')}")


def _over_deadline(manifest: Object) -> str:
    seconds = integer(manifest, "spec", "progressDeadlineSeconds") or _DEFAULT_DEADLINE
    available = count(manifest, "status", "availableReplicas")
    return (
        f"the roll-out made no progress for {seconds} s: {available} of {_replicas(manifest)} "
        f"replicas are available{_refusal(manifest)}; see {name_of(manifest)}'s newest pods"
    )


def _refusal(manifest: Object) -> str:
    failure = condition(manifest, "ReplicaFailure")
    if failure is None or failure.status != "True":
        return ""
    return f"; pods cannot be created: {failure.words}"


def _unobserved(manifest: Object) -> bool:
    observed = count(manifest, "status", "observedGeneration")
    return count(manifest, "metadata", "generation") > observed


def _replicas(manifest: Object) -> int:
    """`spec.replicas` with the API's default of 1."""
    wanted = integer(manifest, "spec", "replicas")
    return 1 if wanted is None else wanted


def _waiting_for_controller(manifest: Object) -> str:
    kind = text(manifest, "kind")
    return f"waiting for the {kind} controller to process the current spec"
