"""HTTPRoute and Route: whether every Gateway, or every router, that shall serve them took them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.health.status import Health, degraded, healthy, progressing
from generator.kube.fields import (
    Condition,
    conditions,
    count,
    entries,
    integer,
    text,
)
from generator.kube.resource import Object

_WANTED = ("Accepted", "ResolvedRefs")
_TYPES = (*_WANTED, "PartiallyInvalid")


def assess_http_route(manifest: Object) -> Health:
    """By the conditions that each parent's controller writes (Gateway API, RouteParentStatus).

    A parent that no controller speaks of is waited for; of several that speak of one parent all
    have to be content. What is said of an older generation does not count.
    """
    judged = [_by_parent(manifest, parent) for parent in entries(manifest, "spec", "parentRefs")]
    if not judged:
        return degraded("no Gateway serves it: spec.parentRefs is empty")
    order = {"Degraded": 0, "Progressing": 1, "Healthy": 2}
    return min(judged, key=lambda health: order[health.status])


def assess_route(manifest: Object) -> Health:
    """By the condition Admitted of each router that speaks of the present host."""
    host = text(manifest, "spec", "host")
    said = entries(manifest, "status", "ingress")
    routers = [item for item in said if text(item, "host") == host or not host]
    for router in routers:
        admitted = _condition(router, "Admitted")
        if admitted is not None and admitted.status == "False":
            name = text(router, "routerName") or "a router"
            return degraded(f"refused by {name}: {admitted.words or 'no reason given'}")
    if any(_is(router, "Admitted", "True") for router in routers):
        return healthy(f"served as {host or text(routers[0], 'host')}")
    return progressing("no router has admitted it yet: check the ingress controller's selectors")


def _by_parent(manifest: Object, parent: Mapping[str, Any]) -> Health:
    name = _title(parent, manifest)
    states = [
        item
        for item in entries(manifest, "status", "parents")
        if _identity(item.get("parentRef"), manifest) == _identity(parent, manifest)
    ]
    if not states:
        return progressing(f"no controller speaks of {name}: check that the Gateway exists")
    for state in states:
        if problem := _problem(manifest, state, name):
            return problem
    return healthy(f"accepted by {name}")


def _problem(manifest: Object, state: Mapping[str, Any], name: str) -> Health | None:
    """What keeps one controller from serving the route for one parent."""
    generation = count(manifest, "metadata", "generation")
    for kind in _TYPES:
        found = _condition(state, kind)
        bad = "True" if kind == "PartiallyInvalid" else "False"
        if found is None:
            if kind in _WANTED:
                return progressing(f"{name} has not reported {kind} yet")
        elif found.observed_generation is not None and found.observed_generation < generation:
            return progressing(f"{name} has not processed the current spec yet")
        elif found.status == bad and found.reason == "Pending":
            return progressing(f"{name}: {found.words}")
        elif found.status == bad:
            return degraded(f"{name}: {found.words or f'{kind} is {bad}'}")
        elif found.status == "Unknown":
            return progressing(f"{name}: {found.words or f'{kind} is not known yet'}")
    return None


def _identity(parent: Any, manifest: Object) -> tuple[str, str, str, str, int | None]:
    """A parent with the API's defaults: a Gateway of the route's own namespace."""
    own = text(manifest, "metadata", "namespace")
    kind = text(parent, "kind") or "Gateway"
    place = text(parent, "namespace") or own
    return kind, place, text(parent, "name"), text(parent, "sectionName"), integer(parent, "port")


def _title(parent: Mapping[str, Any], manifest: Object) -> str:
    kind, namespace, name, section, _ = _identity(parent, manifest)
    return f"{kind} {namespace}/{name}" + (f" ({section})" if section else "")


def _condition(holder: Mapping[str, Any], kind: str) -> Condition | None:
    """The condition of that type, where a status has a list of conditions for each controller."""
    return next((item for item in conditions({"status": holder}) if item.type == kind), None)


def _is(holder: Mapping[str, Any], kind: str, status: str) -> bool:
    found = _condition(holder, kind)
    return found is not None and found.status == status
