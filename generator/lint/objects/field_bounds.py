"""Single values that the API server refuses though its schema allows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import at, entries, integer, section, text
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.resource import Object
from generator.lint.objects import entry_fields, label_fields
from generator.lint.objects.context import RenderedInput
from generator.lint.objects.label_fields import SUBDOMAIN

FIELD = Rule(
    "kubernetes/invalid-field",
    Severity.ERROR,
    "A value that Kubernetes refuses",
    "The API server refuses the object, or the pods made from it.",
    "kubernetes/pkg/apis/{apps,batch,core}/validation",
)

_AMOUNT = re.compile(r"[0-9]+%?")
_NONE = frozenset({"0", "0%"})
_LARGEST_ID = 2**31 - 1
_IDS = ("runAsUser", "runAsGroup", "fsGroup")
_COUNTS = (
    *("replicas", "minReadySeconds", "revisionHistoryLimit", "backoffLimit", "parallelism"),
    *("completions", "ttlSecondsAfterFinished", "startingDeadlineSeconds"),
    *("successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
)
_QUOTA = frozenset(
    {
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory"),
        *("requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory"),
        *("limits.ephemeral-storage", "pods", "resourcequotas", "services", "secrets"),
        *("replicationcontrollers", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    }
)
_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_OF_LIMITS = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
# Objects that a pod names; whether they exist is seen when it is created, or not at all.
_NAMED = ("priorityClassName", "runtimeClassName", "serviceAccountName", "nodeName")
_POD_CHOICES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
}
_CONTAINER_CHOICES = {
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
}
_EFFECTS = ("", "NoSchedule", "PreferNoSchedule", "NoExecute")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Every such value in the objects of one environment."""
    for manifest in rendered.manifests:
        every = (*_counts(manifest), *_rolling(manifest), *_quota(manifest), *_limits(manifest))
        every += (*entry_fields.faults(manifest), *label_fields.selector_faults(manifest))
        for fault in every:
            if fault != entry_fields.BOTH or not _is_judged(rendered, manifest):
                yield _problem(rendered, manifest, title_of(manifest), fault)
    for template in rendered.templates:
        for fault in (*_pod(template.spec), *_images(template), *_mounts(template)):
            yield _problem(rendered, template.owner, template.title, fault)


def _is_judged(rendered: RenderedInput, budget: Object) -> bool:
    """Whether it is one of the chart, whose values `scaling/budget-with-both` judges."""
    made_by = text(budget, "metadata", "labels", "chart")
    return rendered.context.values is not None and made_by.startswith("airflow-")


def _problem(rendered: RenderedInput, owner: Object, title: str, fault: str) -> Problem:
    return rendered.problem(FIELD, owner, f"{title}: {fault}", "correct the value")


def _counts(manifest: Object) -> Iterator[str]:
    if manifest.get("kind") in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        for part in ("", "jobTemplate.spec."):
            spec = at(manifest, "spec", *part.split(".")[:-1])
            for name in _COUNTS if isinstance(spec, Mapping) else ():
                number = integer(spec, name)
                if number is not None and number < 0:
                    yield f"{part}{name} {number} is below 0"


def _rolling(manifest: Object) -> Iterator[str]:
    """How a workload replaces its pods, and how many a budget may take: numbers or percentages."""
    strategy, parts = "", section(manifest, "spec")
    if manifest.get("kind") != "PodDisruptionBudget":
        strategy = "strategy" if manifest.get("kind") == "Deployment" else "updateStrategy"
        parts = section(manifest, "spec", strategy, "rollingUpdate")
    amounts = {
        name: str(parts[name])
        for name in ("maxSurge", "maxUnavailable", "minAvailable")
        if parts.get(name) is not None
    }
    for name, amount in amounts.items():
        if not _AMOUNT.fullmatch(amount):
            yield f"{name} {amount[:32]} is neither a number nor a percentage"
    if strategy == "strategy" and {amounts.get(n) for n in ("maxSurge", "maxUnavailable")} <= _NONE:
        yield "maxSurge and maxUnavailable are both 0"


def _quota(manifest: Object) -> Iterator[str]:
    if manifest.get("kind") == "ResourceQuota":
        for name in map(str, section(manifest, "spec", "hard")):
            pages = name.removeprefix("requests.").startswith("hugepages-")
            if name not in _QUOTA and "/" not in name and not pages:
                yield f"a quota cannot limit {name[:64]}"


def _limits(manifest: Object) -> Iterator[str]:
    if manifest.get("kind") == "LimitRange":
        for item in entries(manifest, "spec", "limits"):
            if text(item, "type") == "Container":
                for part in _OF_LIMITS:
                    for name in map(str, section(item, part)):
                        known = name in _RESOURCES or name.startswith("hugepages-")
                        if not known and "/" not in name:
                            yield f"{part} has {name[:64]}, which is not a resource of containers"


def _mounts(template: PodTemplate) -> Iterator[str]:
    """Volumes that containers mount and the pod does not have."""
    volumes = {str(item.get("name")) for item in entries(template.spec, "volumes")}
    for claim in entries(template.owner, "spec", "volumeClaimTemplates"):
        volumes.add(text(claim, "metadata", "name"))
    users: dict[str, list[str]] = {}
    for _, container in containers(template.spec):
        for part in ("volumeMounts", "volumeDevices"):
            for name in {str(item.get("name")) for item in entries(container, part)} - volumes:
                users.setdefault(name, []).append(str(container.get("name")))
    for name, names in sorted(users.items()):
        yield f"the pod has no volume {name[:64]}, mounted by {', '.join(names)}"


def _images(template: PodTemplate) -> Iterator[str]:
    """Images that are missing, or have blanks around them: that only a pod itself is refused for.

    The first container of task pods gets its image from the KubernetesExecutor
    (`PodGenerator.construct_pod`).
    """
    of_task = template.owner.get("kind") == "ConfigMap"
    given = next(iter(entries(template.spec, "containers")), None) if of_task else None
    for _, container in containers(template.spec):
        name, image = text(container, "name")[:64], container.get("image")
        if container is given:
            continue
        if not isinstance(image, str) or not image:
            yield f"container {name} has no valid image"
        elif image != image.strip():
            yield f"the image of container {name} has blanks around it: its pods are refused"


def _pod(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from label_fields.node_faults(spec)
    yield from _ids(section(spec, "securityContext"))
    yield from _chosen(spec, _POD_CHOICES)
    for name in _NAMED:
        named = text(spec, name)
        if named and not SUBDOMAIN.fullmatch(named):
            yield f"{name} {named[:64]!r} is not a valid name of an object"
    for _, container in containers(spec):
        yield from _ids(section(container, "securityContext"))
        yield from _chosen(container, _CONTAINER_CHOICES)
    for toleration in entries(spec, "tolerations"):
        yield from _toleration(toleration)
    for spread in entries(spec, "topologySpreadConstraints"):
        if (skew := integer(spread, "maxSkew")) is not None and skew < 1:
            yield f"a topologySpreadConstraint has maxSkew {skew}, below 1"
        if (wish := text(spread, "whenUnsatisfiable")) not in _UNSATISFIABLE:
            yield f"a topologySpreadConstraint has whenUnsatisfiable {wish[:32] or None}"


def _chosen(part: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, allowed in choices.items():
        chosen = part.get(name)
        if chosen not in (None, "", *allowed):
            yield f"{name} {str(chosen)[:64]} is not one of {', '.join(allowed)}"


def _ids(context: Mapping[str, Any]) -> Iterator[str]:
    for name in _IDS:
        number = integer(context, name)
        if number is not None and not 0 <= number <= _LARGEST_ID:
            yield f"{name} {number} is not between 0 and {_LARGEST_ID}"


def _toleration(toleration: Mapping[str, Any]) -> Iterator[str]:
    operator, effect = text(toleration, "operator") or "Equal", text(toleration, "effect")
    key, value = text(toleration, "key"), text(toleration, "value")
    if operator not in ("Equal", "Exists"):
        yield f"a toleration has the unknown operator {operator[:32]}"
    elif not key and operator != "Exists":
        yield "a toleration without a key needs the operator Exists"
    elif operator == "Exists" and value:
        yield "a toleration with the operator Exists has a value"
    if effect not in _EFFECTS:
        yield f"a toleration has the unknown effect {effect[:32]}"
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield "a toleration with tolerationSeconds needs the effect NoExecute"
