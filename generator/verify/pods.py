"""Which pods belong to which workload, and what their containers say."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.kube.fields import entries, integer, is_true, name_of, section, text
from generator.kube.resource import Object
from generator.verify.snapshot import moment_at

_TASK_LABEL = "dag_id"
"""On every pod that runs one Airflow task; such a pod fails without the environment failing."""
WAITER = "wait-for-airflow-migrations"
"""The chart's init container: it ends with 0 only when the database is at its image's head."""
LOOP_RESTARTS = 2
"""Restarts after which a crash is a loop: one may be a database that was not up yet."""


def is_task(pod: Object) -> bool:
    """Whether the pod is a single task's (KubernetesExecutor, KubernetesPodOperator)."""
    return _TASK_LABEL in section(pod, "metadata", "labels")


def is_leaving(pod: Object) -> bool:
    """Whether the pod is ending: an old worker may finish its tasks for half an hour."""
    return bool(text(pod, "metadata", "deletionTimestamp"))


def is_over(pod: Object) -> bool:
    """Whether nothing of the pod runs any more: evicted, failed or completed."""
    return text(pod, "status", "phase") in ("Failed", "Succeeded")


def pods_of(workload: Object, pods: Iterable[Object], *, leaving: bool = False) -> list[Object]:
    """The pods that the workload keeps; those that are ending only on request."""
    owner = text(workload, "kind"), name_of(workload)
    return [pod for pod in pods if (leaving or not is_leaving(pod)) and _owner_of(pod) == owner]


def present_pods(workload: Object, pods: Iterable[Object]) -> list[Object]:
    """The workload's pods, those of a Deployment's earlier templates left out: they end anyway.

    A StatefulSet waits for an old pod that cannot run, until it is deleted.
    """
    own = pods_of(workload, pods)
    if text(workload, "kind") != "Deployment":
        return own
    template = section(workload, "spec", "template")
    present = [pod for pod in own if _is_of(template, pod)]
    if present or not own:
        return present
    # An admission webhook may have changed every image: then the newest pods are the present ones.
    newest = max(own, key=lambda pod: text(pod, "metadata", "creationTimestamp"))
    return [pod for pod in own if _hash(pod) == _hash(newest)]


def earlier_pods(workload: Object, pods: Iterable[Object]) -> list[Object]:
    """Pods of a Deployment's other ReplicaSets that run on and are not ending."""
    own = pods_of(workload, pods)
    present = {_hash(pod) for pod in present_pods(workload, own)}
    return [pod for pod in own if not is_over(pod) and _hash(pod) not in present]


def template_difference(rendered: Object, live: Object) -> str:
    """What of images and pod annotations is not as rendered, or nothing.

    The annotations hold the chart's checksums of configuration and gen-env's hashes of secrets, so
    they show whether the pods have the current ones.
    """
    wanted, found = (section(item, "spec", "template") for item in (rendered, live))
    images_found = images(section(found, "spec"))
    for container, image in images(section(wanted, "spec")).items():
        if images_found.get(container) != image:
            return f"{container} has image {images_found.get(container)}, not {image}"
    annotations = section(found, "metadata", "annotations")
    for name, value in section(wanted, "metadata", "annotations").items():
        if annotations.get(name) != value:
            return f"the pod annotation {name} differs"
    return ""


def is_ready(pod: Object) -> bool:
    """Whether the pod itself reports that it is ready."""
    return text(pod, "status", "phase") == "Running" and is_true(pod, "Ready")


def started(pod: Object, container: str) -> datetime.datetime | None:
    """When the present run of the container began; without that time, when the pod did.

    A container takes its environment from Secrets when it is made, so a pod that waited for a
    Secret has its contents. None where the pod has no time at all.
    """
    for status in statuses(pod):
        began = moment_at(status, "state", "running", "startedAt")
        if text(status, "name") == container and began is not None:
            return began
    return moment_at(pod, "status", "startTime") or moment_at(pod, "metadata", "creationTimestamp")


def end_words(status: Mapping[str, Any]) -> str:
    """How a container ended last, and how often it was restarted."""
    ended = section(status, "state", "terminated") or section(status, "lastState", "terminated")
    code, restarts = integer(ended, "exitCode"), integer(status, "restartCount") or 0
    parts = [f"container {text(status, 'name')}"]
    parts.append(f"ended with exit code {code}" if code is not None else "keeps ending")
    if text(ended, "reason") not in ("", "Error"):
        parts.append(f"({text(ended, 'reason')})")
    if restarts:
        parts.append(f"and was restarted {'once' if restarts == 1 else f'{restarts} times'}")
    message = text(ended, "message").strip()
    return " ".join(parts) + (f": {message}" if message else "")


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


def secrets_read(pod_spec: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Every container that goes on running, and the Secrets that it reads: environment and files.

    An init container without `restartPolicy: Always` has done its work.
    """
    volumes = {text(item, "name"): _of_volume(item) for item in entries(pod_spec, "volumes")}
    for container in containers(pod_spec):
        is_init = container in entries(pod_spec, "initContainers")
        if is_init and text(container, "restartPolicy") != "Always":
            continue
        read = {
            *(
                text(item, "valueFrom", "secretKeyRef", "name")
                for item in entries(container, "env")
            ),
            *(text(item, "secretRef", "name") for item in entries(container, "envFrom")),
        }
        for mount in entries(container, "volumeMounts"):
            read |= volumes.get(text(mount, "name"), set())
        yield text(container, "name"), read - {""}


def _of_volume(volume: Mapping[str, Any]) -> set[str]:
    projected = entries(volume, "projected", "sources")
    return {
        text(volume, "secret", "secretName"),
        *(text(item, "secret", "name") for item in projected),
    }


def _is_of(template: Mapping[str, Any], pod: Object) -> bool:
    wanted, found = images(section(template, "spec")), images(section(pod, "spec"))
    annotations = section(pod, "metadata", "annotations")
    return found.items() >= wanted.items() and all(
        annotations.get(name) == value
        for name, value in section(template, "metadata", "annotations").items()
    )


def _hash(pod: Object) -> str:
    return text(pod, "metadata", "labels", "pod-template-hash")


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
