"""What a verdict should cover but neither gen-env nor Argo CD has read."""

from __future__ import annotations

from collections.abc import Iterator

from generator import manifests
from generator.core.basis import NotRead
from generator.kube.fields import count, entries, section, text
from generator.kube.resource import Key, Object, key_of
from generator.verify import flux
from generator.verify.pods import pods_of
from generator.verify.snapshot import Snapshot, Source
from generator.verify.target import WORKLOAD_KINDS, Expected

_OF_THE_CHART = {
    **dict.fromkeys(WORKLOAD_KINDS, Source.WORKLOADS),
    "Job": Source.JOBS,
    "PersistentVolumeClaim": Source.CLAIMS,
    "HorizontalPodAutoscaler": Source.AUTOSCALERS,
    "ScaledObject": Source.SCALED_OBJECTS,
}
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
_RUNNING = ("readyReplicas", "numberReady")


def followed() -> dict[str, Source]:
    """The kinds of rendered objects that are read in the cluster, and the part that holds them."""
    beside = {kind.resource.kind: Source.MANIFESTS for kind in manifests.followed()}
    return {**_OF_THE_CHART, **beside}


def not_read(expected: Expected, snapshot: Snapshot) -> Iterator[NotRead]:
    """Collections that could not be read, pods that should be among those read, and rendered
    objects of other kinds that Argo CD does not list among those that it compares."""
    for source, reason in snapshot.unavailable.items():
        hub = source in (Source.APPLICATION, Source.KUSTOMIZATIONS)
        where = expected.application_namespace if hub else expected.namespace
        yield NotRead(source.value, where, reason)
    if Source.PODS not in snapshot.unavailable:
        yield from _pods(expected, snapshot)
    if snapshot.application is not None:
        yield from _unlisted(expected, snapshot)


def _pods(expected: Expected, snapshot: Snapshot) -> Iterator[NotRead]:
    for key, rendered in expected.of_kind(*WORKLOAD_KINDS):
        status = section(snapshot.find(key) or {}, "status")
        running = max(count(status, name) for name in _RUNNING)
        if running and not pods_of(rendered, snapshot.pods, leaving=True):
            reason = f"{running} run, none is among the pods that were read"
            yield NotRead(f"pods of {key.kind} {key.name}", expected.namespace, reason)


def _unlisted(expected: Expected, snapshot: Snapshot) -> Iterator[NotRead]:
    by_flux = expected.engine == "flux"
    listed = set(flux.inventory(snapshot) if by_flux else _by_argo_cd(snapshot.application))
    for key in _left_to_argo_cd(expected):
        if (key.group, key.kind, key.name) not in listed:
            engine = "Flux" if by_flux else "Argo CD"
            reason = f"gen-env does not read its kind, and {engine} does not list it"
            yield NotRead(f"{key.kind} {key.name}", key.namespace, reason)


def _by_argo_cd(application: Object | None) -> Iterator[tuple[str, str, str]]:
    for item in entries(application, "status", "resources"):
        yield text(item, "group"), text(item, "kind"), text(item, "name")


def _left_to_argo_cd(expected: Expected) -> Iterator[Key]:
    """Rendered objects whose kind is not followed; hooks are not listed, their end is in the
    operation."""
    read = followed()
    for manifest in expected.manifests:
        annotations = section(manifest, "metadata", "annotations")
        if text(manifest, "kind") not in read and not any(map(annotations.get, _HOOKS)):
            yield key_of(manifest, expected.namespace)
