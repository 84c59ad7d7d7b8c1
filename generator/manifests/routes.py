"""The ways in that the chart does not make: an HTTPRoute (Gateway API), a Route (OpenShift)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import Kind, Manifest, manifest
from generator.model.entrance import Gateway, ParentRef, Route
from generator.release.release import Release

GROUP = "gateway.networking.k8s.io"
WAYS = ("gateway", "route")
_HTTP_ROUTE = Kind(
    ResourceType(GROUP, "v1", "httproutes", "HTTPRoute"),
    followed=True,
    always=False,
)
_ROUTE = Kind(
    ResourceType("route.openshift.io", "v1", "routes", "Route"),
    followed=True,
    always=False,
)


def parents(release: Release) -> tuple[ParentRef, ...]:
    """The Gateways that serve the environment: its own, else the cluster's."""
    gateway = release.environment.gateway
    if gateway is None:
        return ()
    return gateway.parent_refs or release.resolved.cluster.gateway.parent_refs


def objects(release: Release) -> list[dict[str, Any]]:
    """The HTTPRoute, where no chart makes it and a Gateway is named, and the Route."""
    gateway, route = release.environment.gateway, release.environment.route
    found = []
    if gateway is not None and parents(release) and not release.routed_by_chart:
        found.append(_object(release, _HTTP_ROUTE, _http_route(release, gateway), gateway))
    if route is not None:
        found.append(_object(release, _ROUTE, _route(release, route), route))
    return found


def proxies(release: Release, way: str) -> list[dict[str, Any]]:
    """The peers of a NetworkPolicy from which a way in (one of WAYS) reaches the environment.

    A Gateway's pods are taken to be in its namespace; in the environment's own they are known by
    the label of GEP-1762. OpenShift labels the namespace of its routers (docs.openshift.com,
    network policy).
    """
    if way == "route":
        routers = {"network.openshift.io/policy-group": "ingress"}
        return [{"namespaceSelector": {"matchLabels": routers}}]
    return [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": item.namespace}}}
        if item.namespace and item.namespace != release.environment.namespace
        else {"podSelector": {"matchLabels": {f"{GROUP}/gateway-name": item.name}}}
        for item in parents(release)
    ]


def _object(
    release: Release, kind: Kind, spec: Mapping[str, Any], field: Gateway | Route
) -> dict[str, Any]:
    made = manifest(release, kind, _service(release), {"spec": spec})
    if field.annotations:
        own = {**field.annotations, **made["metadata"].get("annotations", {})}
        made["metadata"]["annotations"] = dict(sorted(own.items()))
    return made


def _service(release: Release) -> str:
    """Service of the UI and API; what leads there has its name."""
    return release.topology.names.of_part(release.topology.server)


def _http_route(release: Release, gateway: Gateway) -> dict[str, Any]:
    """What the API server would fill in below a list is written out: a comparison without it would
    never end, as lists of a custom resource are compared whole."""
    _, number = release.line.server_port(release.topology)
    backend = {
        "group": "",
        "kind": "Service",
        "name": _service(release),
        "port": number,
        "weight": 1,
    }
    return {
        "hostnames": list(gateway.hostnames),
        "parentRefs": [_parent(item) for item in parents(release)],
        "rules": [
            {
                "backendRefs": [backend],
                "matches": [{"path": {"type": "PathPrefix", "value": gateway.path}}],
            }
        ],
    }


def _parent(item: ParentRef) -> dict[str, Any]:
    written = item.model_dump(by_alias=True, exclude_none=True)
    return dict(sorted({"group": GROUP, "kind": "Gateway", **written}.items()))


def _route(release: Release, route: Route) -> dict[str, Any]:
    name, _ = release.line.server_port(release.topology)
    spec: dict[str, Any] = {
        "host": route.host,
        "port": {"targetPort": name},
        "to": {"kind": "Service", "name": _service(release), "weight": 100},
        "wildcardPolicy": "None",
    }
    if route.path != "/":
        spec["path"] = route.path
    if route.tls is not None:
        spec["tls"] = route.tls.model_dump(by_alias=True)
    return spec


MANIFEST = Manifest("routes", (_HTTP_ROUTE, _ROUTE), objects)
