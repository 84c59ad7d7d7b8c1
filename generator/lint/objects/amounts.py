"""Requests, limits and other quantities as the API server takes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.quantity import quantity
from generator.kube.resource import Object
from generator.lint.objects.context import RenderedInput
from generator.lint.values.origins import amount_paths, place_text

_SOURCE = "kubernetes.io, Resource Management for Pods and Containers"

OVER_LIMIT = Rule(
    "kubernetes/requests-over-limits",
    Severity.ERROR,
    "A request above its limit",
    "The API server refuses every pod of the workload.",
    _SOURCE,
)
QUANTITY = Rule(
    "kubernetes/invalid-quantity",
    Severity.ERROR,
    "A quantity that Kubernetes cannot read",
    "The API server refuses the object.",
    "kubernetes.io, Quantity",
)

_NATIVE = frozenset({"cpu", "memory", "ephemeral-storage"})


@dataclasses.dataclass(frozen=True, slots=True)
class _Excess:
    """A request that is not within its limit, equal in all containers that have it."""

    resource: str
    request: str
    limit: str

    @property
    def fault(self) -> str:
        """What is wrong with it."""
        relation = "above" if _shared(self.resource) else "not"
        return f"requests {self.request} of {self.resource}, {relation} the limit of {self.limit}"


def problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Requests above limits, once for each pair of amounts, and quantities that do not parse."""
    excesses: dict[_Excess, list[tuple[PodTemplate, str]]] = {}
    for template in rendered.templates:
        for _, container in containers(template.spec):
            name = str(container.get("name"))
            for excess in _excesses(section(container, "resources")):
                excesses.setdefault(excess, []).append((template, name))
    for excess, users in excesses.items():
        yield _over(rendered, excess, users)
    yield from _unreadable(rendered)


def _shared(resource: str) -> bool:
    """Whether a request may be below the limit; devices and huge pages need both alike."""
    return resource in _NATIVE


def _excesses(resources: Mapping[str, Any]) -> Iterator[_Excess]:
    limits = section(resources, "limits")
    for resource, request in section(resources, "requests").items():
        wanted, most = quantity(request), quantity(limits.get(resource))
        if wanted is None or most is None:
            continue
        if wanted > most or (wanted != most and not _shared(resource)):
            yield _Excess(resource, str(request), str(limits[resource]))


def _over(
    rendered: RenderedInput, excess: _Excess, users: list[tuple[PodTemplate, str]]
) -> Problem:
    template, name = users[0]
    who = f"{template.title}, container {name}"
    if len(users) > 1:
        who += f" and {len(users) - 1} more"
    hint = f"raise the {excess.resource} limit, or lower the request"
    values = rendered.context.values
    paths = values and amount_paths(values, excess.resource, excess.request, excess.limit)
    if not values or not paths:
        return rendered.problem(OVER_LIMIT, template.owner, f"{who}: {excess.fault}", hint)
    path, line = values.locate(paths[0])
    message = f"{who}: {excess.fault}, from {place_text(values, paths[1])}"
    return OVER_LIMIT.problem(message, path=path, line=line, hint=hint)


def _unreadable(rendered: RenderedInput) -> Iterator[Problem]:
    for template in rendered.templates:
        for _, container in containers(template.spec):
            name = str(container.get("name"))
            for field in ("requests", "limits"):
                amounts = section(container, "resources", field)
                where = f"{template.title}, container {name}: resources.{field}"
                yield from _amount_problems(rendered, template.owner, where, amounts)
        for volume in entries(template.spec, "volumes"):
            size = section(volume, "emptyDir").get("sizeLimit")
            where = f"{template.title}, volume {volume.get('name')}: emptyDir"
            if size is not None:
                yield from _quantity(rendered, template.owner, f"{where}.sizeLimit", size)
    for manifest, where, amounts in _others(rendered):
        for resource, amount in amounts.items():
            yield from _quantity(rendered, manifest, f"{where}.{resource}", amount)


def _others(rendered: RenderedInput) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    for quota in rendered.of("ResourceQuota"):
        yield quota, f"{title_of(quota)}: hard", section(quota, "spec", "hard")
    for claim in rendered.of("PersistentVolumeClaim"):
        yield claim, f"{title_of(claim)}: requests", section(claim, "spec", "resources", "requests")
    for owner in rendered.of("StatefulSet"):
        for claim in entries(owner, "spec", "volumeClaimTemplates"):
            where = f"{title_of(owner)}, claim {section(claim, 'metadata').get('name')}: requests"
            yield owner, where, section(claim, "spec", "resources", "requests")


def _amount_problems(
    rendered: RenderedInput, owner: Object, where: str, amounts: Mapping[str, Any]
) -> Iterator[Problem]:
    for resource, amount in amounts.items():
        known = resource in _NATIVE or "/" in resource or resource.startswith("hugepages-")
        if not known:
            message = f"{where} names {resource}, which is not a container resource"
            hint = "use cpu, memory or ephemeral-storage, or a device's full name"
            yield rendered.problem(QUANTITY, owner, message, hint)
        yield from _quantity(rendered, owner, f"{where}.{resource}", amount)


def _quantity(rendered: RenderedInput, owner: Object, where: str, amount: Any) -> Iterator[Problem]:
    number = quantity(amount)
    if number is None or number < Decimal(0):
        yield rendered.problem(
            QUANTITY,
            owner,
            f"{where} is `{str(amount)[:40]}`, which is not a quantity of zero or more",
            "write it like 500m, 2, 512Mi or 4Gi",
        )
