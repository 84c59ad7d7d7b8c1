"""Which pods belong to which workload, and what their containers say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.kube.fields import entries, name_of, section, text
from generator.kube.resource import Object

_TASK_LABEL = "dag_id"
"""On every pod that runs one Airflow task; such a pod fails without the environment failing."""


def is_task(pod: Object) -> bool:
    """Whether the pod is a single task's (KubernetesExecutor, KubernetesPodOperator)."""
    return _TASK_LABEL in section(pod, "metadata", "labels")


def is_leaving(pod: Object) -> bool:
    """Whether the pod is ending: an old worker may finish its tasks for half an hour."""
    return bool(text(pod, "metadata", "deletionTimestamp"))


def pods_of(workload: Object, pods: Iterable[Object]) -> list[Object]:
    """The pods that the workload keeps, those that are ending left out."""
    kind, name = text(workload, "kind"), name_of(workload)
    return [pod for pod in pods if not is_leaving(pod) and _owner_of(pod) == (kind, name)]


def images(pod_spec: Mapping[str, Any]) -> dict[str, str]:
    """The image of every container and init container, by container name."""
    return {text(item, "name"): text(item, "image") for item in containers(pod_spec)}


def containers(pod_spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Init containers and containers of a pod's spec."""
    yield from entries(pod_spec, "initContainers")
    yield from entries(pod_spec, "containers")


def statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    """The statuses of init containers and containers."""
    yield from entries(pod, "status", "initContainerStatuses")
    yield from entries(pod, "status", "containerStatuses")


def secrets_of(pod_spec: Mapping[str, Any]) -> set[str]:
    """The Secrets that the pod's containers read: environment, files, projected files."""
    found: set[str] = set()
    for container in containers(pod_spec):
        for item in entries(container, "env"):
            found.add(text(item, "valueFrom", "secretKeyRef", "name"))
        for item in entries(container, "envFrom"):
            found.add(text(item, "secretRef", "name"))
    for volume in entries(pod_spec, "volumes"):
        found.add(text(volume, "secret", "secretName"))
        for item in entries(volume, "projected", "sources"):
            found.add(text(item, "secret", "name"))
    return found - {""}


def _owner_of(pod: Object) -> tuple[str, str]:
    """Kind and name of what keeps the pod; a ReplicaSet's name leads to its Deployment."""
    owner = next((item for item in _owners(pod) if item.get("controller") is True), {})
    kind, name = text(owner, "kind"), text(owner, "name")
    suffix = "-" + text(pod, "metadata", "labels", "pod-template-hash")
    if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
        return "Deployment", name.removesuffix(suffix)
    return kind, name


def _owners(pod: Object) -> list[Mapping[str, Any]]:
    return entries(pod, "metadata", "ownerReferences")
