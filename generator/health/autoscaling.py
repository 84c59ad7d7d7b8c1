"""HorizontalPodAutoscaler (gitops-engine `health_hpa.go`), KEDA's ScaledObject and ScaledJob
(`keda.sh/*/health.lua`), and PodDisruptionBudget (`policy/PodDisruptionBudget/health.lua`)."""

from __future__ import annotations

import json

from generator.health.status import Health, degraded, healthy, progressing, suspended, unknown
from generator.kube.fields import Condition, condition, conditions, entries, is_true, section, text
from generator.kube.resource import Object

_FAILURES = {
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
}
# What Go's strconv.ParseBool takes for false; KEDA pauses for anything else.
_FALSE = ("0", "f", "F", "false", "False", "FALSE")
_V1_ANNOTATION = "autoscaling.alpha.kubernetes.io/conditions"
_HINTS = {
    "FailedGetScale": "check that the workload that it names exists",
    "FailedGetResourceMetric": "check that metrics-server runs and that the pods request that "
    "resource",
    "InvalidSelector": "two autoscalers select the same pods",
}


def assess_autoscaler(manifest: Object) -> Health:
    """Able to read its metrics and to scale; `autoscaling/v1` keeps that in an annotation.

    Stricter than Argo CD, which reports one that 0 replicas switch off as healthy. KEDA switches
    its own off that way while there is no work.
    """
    found = _autoscaler_conditions(manifest)
    if found is None:
        return unknown(f"the annotation {_V1_ANNOTATION} is not a list of conditions")
    for item in found:
        if (item.type, item.reason) in _FAILURES:
            hint = _HINTS.get(item.reason, "")
            return degraded(f"{item.words}{'; ' if hint else ''}{hint}")
    for item in found:
        if item.type == "AbleToScale" and item.status == "False":
            return degraded(f"cannot scale: {item.words}")
        if item.type == "ScalingActive" and item.status == "False":
            return _inactive(manifest, item)
    for item in found:
        if item.type in ("AbleToScale", "ScalingLimited") and item.status == "True":
            return healthy(item.words)
    return progressing("waiting for the autoscaler's first read of its target")


def assess_scaled_object(manifest: Object) -> Health:
    """Ready and not on its fallback; a failure wins over a pause, as in Argo CD.

    The annotations pause it too, whether or not KEDA reports that in a condition yet.
    """
    ready = condition(manifest, "Ready")
    if ready is not None and ready.status == "False":
        return degraded(f"{ready.words}; see the log of keda-operator")
    if is_true(manifest, "Fallback"):
        words = condition(manifest, "Fallback")
        return degraded(
            f"{words.words if words else 'Fallback'}: a trigger's source cannot be read"
        )
    if ready is None or ready.status != "True":
        return progressing("waiting for KEDA to create the HorizontalPodAutoscaler")
    if is_true(manifest, "Paused") or _is_paused(manifest):
        return suspended("paused: remove the autoscaling.keda.sh/paused annotations to go on")
    return healthy(ready.words)


def assess_scaled_job(manifest: Object) -> Health:
    """As a ScaledObject, but a Ready condition of Unknown is a failure of some triggers."""
    ready = condition(manifest, "Ready")
    if ready is None:
        return progressing("waiting for KEDA to take in the ScaledJob")
    if ready.status != "True":
        return degraded(f"{ready.words}; see the log of keda-operator")
    if is_true(manifest, "Paused"):
        return suspended("paused: remove the autoscaling.keda.sh/paused annotations to go on")
    return healthy(ready.words)


def assess_disruption_budget(manifest: Object) -> Health:
    """Computed; too few pods is no failure of the budget (argo-cd issue 20171)."""
    found = conditions(manifest)
    for item in found:
        if item.status == "False" and item.reason != "InsufficientPods":
            return degraded(f"{item.words}; check that no two budgets select the same pods")
    if not found:
        return progressing("waiting for the disruption controller")
    allowed = section(manifest, "status").get("disruptionsAllowed", 0)
    return healthy(f"{found[-1].reason}: {allowed} evictions allowed now")


def _inactive(manifest: Object, item: Condition) -> Health:
    if item.reason == "ScalingDisabled":
        owners = entries(manifest, "metadata", "ownerReferences")
        if any(owner.get("kind") == "ScaledObject" for owner in owners):
            return healthy(f"{item.words}: KEDA scaled its target to 0 replicas")
        return suspended(f"{item.words}: it does not scale 0 replicas; set at least 1")
    return progressing(item.words or "ScalingActive is False")


def _is_paused(manifest: Object) -> bool:
    annotations = section(manifest, "metadata", "annotations")
    paused = annotations.get("autoscaling.keda.sh/paused", "false")
    return paused not in _FALSE or "autoscaling.keda.sh/paused-replicas" in annotations


def _autoscaler_conditions(manifest: Object) -> list[Condition] | None:
    annotation = section(manifest, "metadata", "annotations").get(_V1_ANNOTATION)
    if annotation is None or text(manifest, "apiVersion") != "autoscaling/v1":
        return conditions(manifest)
    try:
        parsed = json.loads(annotation)
    except (TypeError, ValueError):
        return None
    return conditions({"status": {"conditions": parsed}}) if isinstance(parsed, list) else None
