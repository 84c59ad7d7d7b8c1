"""Objects that run pods, whatever their kind, and how many pods they run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube import fields
from generator.kube.pods import task_pods, template_of
from generator.kube.resource import Key, Object

ROLLED = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
"""Kinds whose controller replaces running pods when their template changes."""

TASK_PODS = "TaskPod"
"""The kind under which the template of the KubernetesExecutor's pods is listed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """How many pods at least and at most; `autoscaler` is what decides between the two."""

    minimum: int
    maximum: int
    autoscaler: Key | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """An object that runs pods, its pod template, and its scale."""

    key: Key
    manifest: Object
    template: Mapping[str, Any]
    scale: Scale

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels of its pods."""
        return fields.section(self.template, "metadata", "labels")

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pod spec."""
        return fields.section(self.template, "spec")

    @property
    def component(self) -> str:
        """`scheduler`, `worker` …: the component label, or the name of the object."""
        for label in ("component", "app.kubernetes.io/component"):
            value = self.labels.get(label)
            if isinstance(value, str) and value:
                return value
        return self.key.name

    @property
    def grace(self) -> int:
        """Seconds between the request to stop and the kill; Kubernetes' default is 30."""
        seconds = fields.integer(self.spec, "terminationGracePeriodSeconds")
        return 30 if seconds is None else seconds

    def containers(self) -> list[Mapping[str, Any]]:
        """Init containers first, as they start."""
        return [
            *fields.entries(self.spec, "initContainers"),
            *fields.entries(self.spec, "containers"),
        ]

    def environment(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every environment variable of every container: its name and its entry."""
        for container in self.containers():
            for entry in fields.entries(container, "env"):
                yield fields.text(entry, "name"), entry


def command(container: Mapping[str, Any]) -> list[str]:
    """The words of a container's `command` and `args`."""
    return [*fields.strings(container, "command"), *fields.strings(container, "args")]


def workloads(objects: Mapping[Key, Object]) -> tuple[Workload, ...]:
    """Every object that runs pods, in the one order; task pods of a ConfigMap come last."""
    scalers = _scalers(objects)
    found = []
    for key, manifest in objects.items():
        template = template_of(manifest)
        if template is not None:
            found.append(Workload(key, manifest, template, _scale(key, manifest, scalers)))
    found.sort(key=lambda workload: workload.key.sort_key)
    return (*found, *_task_pods(objects))


def _scale(key: Key, manifest: Object, scalers: Mapping[tuple[str, str, str], Scale]) -> Scale:
    scaler = scalers.get((key.kind, key.namespace, key.name))
    if scaler:
        return scaler
    if key.kind in ("CronJob", "DaemonSet", "Job", "Pod"):
        return Scale(1, 1)
    replicas = fields.integer(manifest, "spec", "replicas")
    count = 1 if replicas is None else max(replicas, 0)
    return Scale(count, count)


def _scalers(objects: Mapping[Key, Object]) -> dict[tuple[str, str, str], Scale]:
    """Defaults: KEDA 0 to 100 (keda.sh/docs, ScaledObject spec), autoscaling/v2 1 to its max."""
    scalers: dict[tuple[str, str, str], Scale] = {}
    for key, manifest in objects.items():
        if key.kind == "ScaledObject":
            low = fields.integer(manifest, "spec", "minReplicaCount") or 0
            idle = fields.integer(manifest, "spec", "idleReplicaCount")
            low = low if idle is None else min(low, idle)
            high = fields.integer(manifest, "spec", "maxReplicaCount")
            high = 100 if high is None else high
            low, high = _paused(manifest) or (low, high)
        elif key.kind == "HorizontalPodAutoscaler":
            least = fields.integer(manifest, "spec", "minReplicas")
            low = 1 if least is None else least
            high = fields.integer(manifest, "spec", "maxReplicas") or low
        else:
            continue
        target = fields.section(manifest, "spec", "scaleTargetRef")
        kind = fields.text(target, "kind") or "Deployment"
        scalers[kind, key.namespace, fields.text(target, "name")] = Scale(low, max(low, high), key)
    return scalers


def _paused(manifest: Object) -> tuple[int, int] | None:
    """keda.sh/docs, pausing autoscaling: a fixed number that KEDA keeps to."""
    notes = fields.section(manifest, "metadata", "annotations")
    number = fields.number(notes.get("autoscaling.keda.sh/paused-replicas"))
    return None if number is None else (number, number)


def _task_pods(objects: Mapping[Key, Object]) -> Iterator[Workload]:
    for key, manifest in sorted(objects.items()):
        template = task_pods(manifest)
        if template is not None:
            pod = Key("", TASK_PODS, key.namespace, key.name)
            yield Workload(pod, manifest, template, Scale(0, 0))
