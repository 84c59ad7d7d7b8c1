"""What has to be read for one environment, and nothing more: kinds, namespaces, selectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from generator import manifests
from generator.cluster import kinds
from generator.kube.fields import name_of, section
from generator.kube.resource import Object
from generator.kube.resource_type import ResourceType
from generator.verify.port import ClusterPort
from generator.verify.snapshot import Source
from generator.verify.target import WORKLOAD_KINDS, Expected

_NO_TASKS = "!dag_id"
"""Pods of single tasks come by the thousand and say nothing about the environment."""


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """One collection of one cluster that is listed and watched."""

    source: Source
    cluster: ClusterPort
    resource: ResourceType
    namespace: str
    selector: str = ""
    fields: str = ""


def subscriptions(
    expected: Expected, cluster: ClusterPort, hub: ClusterPort
) -> tuple[Subscription, ...]:
    """Everything to read, in a fixed order; the engine's objects alone come from the hub."""

    def named(source: Source, resource: ResourceType, name: str) -> Subscription:
        only = f"metadata.name={name}"
        return Subscription(source, hub, resource, expected.application_namespace, "", only)

    flux = expected.engine == "flux"
    kind = kinds.HELM_RELEASES if flux else kinds.APPLICATIONS
    engine = [named(Source.APPLICATION, kind, expected.application)]
    for item in expected.kustomizations:
        engine.append(named(Source.KUSTOMIZATIONS, kinds.KUSTOMIZATIONS, name_of(item)))
    return (*engine, *_in_namespace(expected, cluster))


def _in_namespace(expected: Expected, cluster: ClusterPort) -> Iterator[Subscription]:
    def wanted(
        source: Source, resource: ResourceType, selector: str = "", fields: str = ""
    ) -> Subscription:
        return Subscription(source, cluster, resource, expected.namespace, selector, fields)

    workloads = [item for _, item in expected.of_kind(*WORKLOAD_KINDS)]
    chosen = _selector(expected, workloads)
    for resource in (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS, kinds.DAEMON_SETS):
        if expected.of_kind(resource.kind):
            yield wanted(Source.WORKLOADS, resource, chosen)
    templates = [section(item, "spec", "template") for item in workloads]
    pods = ",".join(filter(None, (_selector(expected, templates), _NO_TASKS)))
    yield wanted(Source.PODS, kinds.PODS, pods)
    yield wanted(Source.JOBS, kinds.JOBS, _selector(expected, _of(expected, "Job")))
    claims = [*_of(expected, "PersistentVolumeClaim"), *templates]
    yield wanted(Source.CLAIMS, kinds.CLAIMS, _selector(expected, claims))
    yield wanted(Source.EVENTS, kinds.EVENTS, fields="type=Warning")
    for source, resource in (
        *((Source.MANIFESTS, kind.resource) for kind in manifests.followed()),
        (Source.AUTOSCALERS, kinds.AUTOSCALERS),
        (Source.SCALED_OBJECTS, kinds.SCALED_OBJECTS),
    ):
        if expected.of_kind(resource.kind):
            yield wanted(source, resource)


def _of(expected: Expected, kind: str) -> list[Object]:
    return [item for _, item in expected.of_kind(kind)]


def _selector(expected: Expected, rendered: list[Object]) -> str:
    """The chart's labels, if every rendered object has them; the bundled PostgreSQL has none."""
    labels = {"tier": "airflow", "release": expected.release}
    for item in rendered:
        own = section(item, "metadata", "labels")
        if any(own.get(name) != value for name, value in labels.items()):
            return ""
    return ",".join(f"{name}={value}" for name, value in labels.items())
