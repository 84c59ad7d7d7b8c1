"""Single values that the API server refuses though its schema allows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section, text
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.resource import Object, group_of
from generator.lint.objects import (
    entry_fields,
    field_table,
    kind_rows,
    kubernetes_schema,
    label_fields,
)
from generator.lint.objects import pod_rows as rows
from generator.lint.objects.context import RenderedInput

FIELD = Rule(
    "kubernetes/invalid-field",
    Severity.ERROR,
    "A value that Kubernetes refuses",
    "The API server refuses the object, or the pods made from it.",
    "kubernetes/pkg/apis/{apps,batch,core}/validation",
)

_AMOUNT = re.compile(r"[0-9]+%?")
_NONE = frozenset({"0", "0%"})
_QUOTA = frozenset(
    {
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory"),
        *("requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory"),
        *("limits.ephemeral-storage", "pods", "resourcequotas", "services", "secrets"),
        *("replicationcontrollers", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    }
)
_LOOSE_GROUPS = frozenset(
    f"{name}.k8s.io" for name in ("admissionregistration", "apiextensions", "apiregistration")
)
_EFFECTS = ("", "NoSchedule", "PreferNoSchedule", "NoExecute")


def problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Every such value in the objects of one environment."""
    for manifest in filter(kubernetes_schema.is_builtin, rendered.manifests):
        every = (
            *(() if _is_loose(manifest) else field_table.faults(manifest, kind_rows.EVERY)),
            *_rolling(manifest),
            *_quota(manifest),
        )
        every += tuple(
            field_table.faults(manifest, kind_rows.KINDS.get(str(manifest.get("kind")), {}))
        )
        every += (*entry_fields.faults(manifest), *label_fields.selector_faults(manifest))
        for fault in every:
            if fault != entry_fields.BOTH or not _is_judged(rendered, manifest):
                yield _problem(rendered, manifest, title_of(manifest), fault)
    for template in rendered.templates:
        for fault in (*_pod(template.spec), *_images(template), *_mounts(template)):
            yield _problem(rendered, template.owner, template.title, fault)


def _is_loose(manifest: Object) -> bool:
    """Of these groups the API server takes any name as finalizer: apimachinery's validation."""
    return group_of(text(manifest, "apiVersion")) in _LOOSE_GROUPS


def _is_judged(rendered: RenderedInput, budget: Object) -> bool:
    """Whether it is one of the chart, whose values `scaling/budget-with-both` judges."""
    made_by = text(budget, "metadata", "labels", "chart")
    return rendered.context.values is not None and made_by.startswith("airflow-")


def _problem(rendered: RenderedInput, owner: Object, title: str, fault: str) -> Problem:
    return rendered.problem(FIELD, owner, f"{title}: {fault}", "correct the value")


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
    yield from field_table.faults(spec, rows.POD)
    for volume in entries(spec, "volumes"):
        if claim := section(volume, "ephemeral", "volumeClaimTemplate"):
            yield from entry_fields.claim_faults(section(claim, "spec"))
    for part, container in containers(spec):
        where = f"{part}.{text(container, 'name')[:64]}"
        yield from field_table.faults(container, rows.CONTAINER, where)
    for toleration in entries(spec, "tolerations"):
        yield from _toleration(toleration)


def _toleration(toleration: Mapping[str, Any]) -> Iterator[str]:
    operator, effect = text(toleration, "operator") or "Equal", text(toleration, "effect")
    key, value = text(toleration, "key"), text(toleration, "value")
    # Lt and Gt are taken since 1.35 with TaintTolerationComparisonOperators.
    if operator not in ("Equal", "Exists", "Gt", "Lt"):
        yield f"a toleration has the unknown operator {operator[:32]}"
    elif not key and operator != "Exists":
        yield "a toleration without a key needs the operator Exists"
    elif operator == "Exists" and value:
        yield "a toleration with the operator Exists has a value"
    if effect not in _EFFECTS:
        yield f"a toleration has the unknown effect {effect[:32]}"
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield "a toleration with tolerationSeconds needs the effect NoExecute"
