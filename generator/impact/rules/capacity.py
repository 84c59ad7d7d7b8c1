"""What the pods ask of the cluster, before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from generator.core.counted import counted
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.quantity import cores, quantity, size
from generator.kube.workload import ROLLED, Workload

_NOTABLE = Decimal("1.5")

CAPACITY = ImpactRule(
    "impact/capacity",
    WARNING,
    "The requests of what runs all the time change",
    "Pods that do not fit into the cluster stay pending.",
    "Kubernetes",
    also=((INFO, "CPU and memory grow by half at most"),),
)
QUOTA = ImpactRule(
    "impact/quota",
    ERROR,
    "A quota smaller than what the pods request",
    "Pods beyond the quota are not created.",
    "Kubernetes",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Requests:
    """CPU in cores and memory in bytes."""

    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)

    def plus(self, other: Requests) -> Requests:
        """Both together."""
        return Requests(self.cpu + other.cpu, self.memory + other.memory)

    def times(self, count: int) -> Requests:
        """For that many pods."""
        return Requests(self.cpu * count, self.memory * count)

    def most(self, other: Requests) -> Requests:
        """The larger of each."""
        return Requests(max(self.cpu, other.cpu), max(self.memory, other.memory))

    def __str__(self) -> str:
        return f"{cores(self.cpu)} CPU and {size(self.memory)}"


def capacity(context: Context) -> Iterator[Finding]:
    """`impact/capacity`: the sum of requests of everything that runs all the time."""
    least = [_total(view, at_most=False) for view in (context.base, context.head)]
    most = [_total(view, at_most=True) for view in (context.base, context.head)]
    if least[0] == least[1] and most[0] == most[1]:
        return
    words = f"requests: {least[0]} → {least[1]}"
    if most != least:
        words += f"; with autoscaling at its maximum {most[0]} → {most[1]}"
    grows = any(
        old and new > old * _NOTABLE
        for old, new in ((most[0].cpu, most[1].cpu), (most[0].memory, most[1].memory))
    )
    brief = words if most == least else f"requests of up to {most[1]} instead of {most[0]}"
    yield CAPACITY.finding(None, words, WARNING if grows else INFO, brief=brief)


def quota(context: Context) -> Iterator[Finding]:
    """`impact/quota`: the namespace's quota is smaller than what the pods request at most."""
    for key, manifest in context.head.of_kind("ResourceQuota").items():
        hard = fields.section(manifest, "spec", "hard")
        total = _total(context.head, at_most=True, namespace=key.namespace)
        for name, wanted, words in (
            ("cpu", total.cpu, cores),
            ("memory", total.memory, size),
        ):
            limit = quantity(hard.get(f"requests.{name}", hard.get(name)))
            if limit is not None and wanted > limit:
                brief = f"pods request up to {words(wanted)} {name}, but the quota allows "
                brief += words(limit)
                yield QUOTA.finding(key, f"{brief}: pods beyond it are not created", brief=brief)
        allowed = [quantity(hard[name]) for name in ("pods", "count/pods") if name in hard]
        count = sum(
            work.scale.maximum
            for work in context.head.workloads
            if work.key.kind in ROLLED and work.key.namespace == key.namespace
        )
        for limit in allowed:
            if limit is not None and count > limit:
                brief = f"up to {counted(count, 'pod')} run, but the quota allows {limit:f}"
                yield QUOTA.finding(key, f"{brief}: pods beyond it are not created", brief=brief)


def requests(work: Workload) -> Requests:
    """What one pod asks for: the larger of its containers together and each init container.

    kubernetes.io/docs/concepts/workloads/pods/init-containers: init containers that keep running
    (restartPolicy Always) count with the containers.
    """
    inits = fields.entries(work.spec, "initContainers")
    steady = [item for item in inits if item.get("restartPolicy") == "Always"]
    passing = [item for item in inits if item.get("restartPolicy") != "Always"]
    total = _sum([*fields.entries(work.spec, "containers"), *steady])
    for container in passing:
        total = total.most(_of(container))
    return total.plus(_requests(fields.section(work.spec, "overhead")))


def _total(view: View, *, at_most: bool, namespace: str | None = None) -> Requests:
    total = Requests()
    for work in view.workloads:
        if work.key.kind in ROLLED and namespace in (None, work.key.namespace):
            count = work.scale.maximum if at_most else work.scale.minimum
            total = total.plus(requests(work).times(count))
    return total


def _sum(containers: Iterable[Mapping[str, Any]]) -> Requests:
    total = Requests()
    for container in containers:
        total = total.plus(_of(container))
    return total


def _of(container: Mapping[str, Any]) -> Requests:
    """A limit without a request is the request."""
    limits = fields.section(container, "resources", "limits")
    return _requests({**limits, **fields.section(container, "resources", "requests")})


def _requests(values: Mapping[str, Any]) -> Requests:
    return Requests(
        quantity(values.get("cpu")) or Decimal(0), quantity(values.get("memory")) or Decimal(0)
    )


FINDERS = (capacity, quota)
