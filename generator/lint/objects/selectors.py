"""Selectors and targets: whether Services, monitors, policies and budgets find what they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.fields import entries, section
from generator.kube.pods import PodTemplate, containers, title_of
from generator.kube.resource import Object, selects_tasks
from generator.kube.selectors import matches, matches_plain
from generator.lint.objects.context import RenderedInput

SERVICE = Rule(
    "rendered/service-without-pods",
    Severity.WARNING,
    "A Service that selects no pod",
    "Callers get no answer.",
)
SERVICE_PORT = Rule(
    "rendered/service-port",
    Severity.ERROR,
    "A Service port that no container has",
    "Callers get no answer.",
)
MONITOR = Rule(
    "rendered/monitor-selects-nothing",
    Severity.ERROR,
    "A monitor that selects no Service or port",
    "Prometheus scrapes nothing, and no alert ever fires.",
)
POLICY = Rule(
    "rendered/policy-selects-nothing",
    Severity.WARNING,
    "A NetworkPolicy that selects no pod",
    "The pods that it was written for are open, or cut off by another policy.",
)
BLOCKING = Rule(
    "rendered/budget-blocks-drains",
    Severity.WARNING,
    "A disruption budget that allows no eviction",
    "Node drains, and with them upgrades, hang.",
)
TWO_BUDGETS = Rule(
    "rendered/two-budgets",
    Severity.ERROR,
    "Two disruption budgets on one pod",
    "The eviction API answers with an error, and node drains hang.",
    "kubernetes/kubernetes#75957",
)
TARGET = Rule(
    "rendered/target-missing",
    Severity.ERROR,
    "A target that does not exist",
    "The autoscaler, ingress or route does nothing.",
)


def wiring_problems(rendered: RenderedInput) -> Iterator[Problem]:
    """Everything that points to nothing."""
    for item in rendered.of("Service"):
        yield from _service(rendered, item)
    for item in rendered.of("ServiceMonitor", "PodMonitor"):
        yield from _monitor(rendered, item)
    for item in rendered.of("NetworkPolicy"):
        yield from _policy(rendered, item)
    yield from _budgets(rendered)
    for item in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        yield from _scaler(rendered, item)
    for item in rendered.of("Ingress", "HTTPRoute", "Route"):
        yield from _way_in(rendered, item)


def _selected(
    rendered: RenderedInput, item: Object, selector: Any, *, plain: bool
) -> list[PodTemplate]:
    """Pod templates of the object's namespace that the selector matches."""
    place = rendered.namespace_of(item)
    test = matches_plain if plain else matches
    return [
        template
        for template in rendered.templates
        if (template.namespace or rendered.namespace) == place and test(selector, template.labels)
    ]


def _service(rendered: RenderedInput, item: Object) -> Iterator[Problem]:
    spec = section(item, "spec")
    if not section(spec, "selector") or spec.get("type") == "ExternalName":
        return
    found = _selected(rendered, item, section(spec, "selector"), plain=True)
    if not found:
        yield rendered.problem(
            SERVICE,
            item,
            f"{title_of(item)} selects no pod",
            "compare selector and labels",
        )
        return
    names = {name for template in found for name in _port_names(template)}
    for port in entries(spec, "ports"):
        target = port.get("targetPort")
        if isinstance(target, str) and not target.isdigit() and target not in names:
            yield rendered.problem(
                SERVICE_PORT,
                item,
                f"{title_of(item)}: no container has a port named {target}",
                "correct targetPort",
            )


def _port_names(template: PodTemplate) -> Iterator[str]:
    for _, container in containers(template.spec):
        for port in entries(container, "ports"):
            if port.get("name"):
                yield str(port["name"])


def _monitor(rendered: RenderedInput, item: Object) -> Iterator[Problem]:
    spec = section(item, "spec")
    names = section(spec, "namespaceSelector")
    places = {str(name) for name in names.get("matchNames") or ()} or {rendered.namespace_of(item)}
    if not names.get("any") and not places & set(rendered.namespaces):
        return
    if item.get("kind") == "PodMonitor":
        pods = [t for t in rendered.templates if matches(section(spec, "selector"), t.labels)]
        ports = {name for template in pods for name in _port_names(template)}
        yield from _endpoints(rendered, item, bool(pods), ports, "podMetricsEndpoints")
        return
    services = [
        service
        for service in rendered.of("Service")
        if matches(section(spec, "selector"), _labels(service))
    ]
    ports = {
        str(port.get("name")) for service in services for port in entries(service, "spec", "ports")
    }
    yield from _endpoints(rendered, item, bool(services), ports, "endpoints")


def _endpoints(
    rendered: RenderedInput, item: Object, found: bool, ports: set[str], field: str
) -> Iterator[Problem]:
    if not found:
        what = "Service" if field == "endpoints" else "pod"
        yield rendered.problem(
            MONITOR,
            item,
            f"{title_of(item)} selects no {what}",
            "compare selector and labels",
        )
        return
    for endpoint in entries(item, "spec", field):
        port = endpoint.get("port")
        if isinstance(port, str) and port not in ports:
            yield rendered.problem(
                MONITOR,
                item,
                f"{title_of(item)}: nothing it selects has a port named {port}",
                f"use one of {', '.join(sorted(ports))}" if ports else "name the Service's port",
            )


def _policy(rendered: RenderedInput, item: Object) -> Iterator[Problem]:
    selector = section(item, "spec", "podSelector")
    if not selector or selects_tasks(selector):
        return
    if not _selected(rendered, item, selector, plain=False):
        yield rendered.problem(
            POLICY,
            item,
            f"{title_of(item)} selects no pod",
            "compare its podSelector with the labels of the pods",
        )


def _budgets(rendered: RenderedInput) -> Iterator[Problem]:
    owners: dict[str, list[str]] = {}
    for item in rendered.of("PodDisruptionBudget"):
        spec = section(item, "spec")
        for template in _selected(rendered, item, spec.get("selector"), plain=False):
            if template.owner.get("kind") in ("Deployment", "StatefulSet"):
                owners.setdefault(template.title, []).append(title_of(item))
                yield from _blocks(rendered, item, spec, template)
    for title, budgets in owners.items():
        if len(budgets) > 1:
            owner = next(item for item in rendered.manifests if title_of(item) == title)
            yield rendered.problem(
                TWO_BUDGETS,
                owner,
                f"{title}: {' and '.join(sorted(budgets))} select the same pods",
                "keep one of them",
            )


def _blocks(
    rendered: RenderedInput, item: Object, spec: Mapping[str, Any], template: PodTemplate
) -> Iterator[Problem]:
    replicas = section(template.owner, "spec").get("replicas", 1)
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    scaled = "replicas" not in section(template.owner, "spec")
    full = least == "100%" or (isinstance(least, int) and not scaled and 0 < replicas <= least)
    if full or str(most) in ("0", "0%"):
        yield rendered.problem(
            BLOCKING,
            item,
            f"{title_of(item)} allows no eviction of {template.title}",
            "run more replicas, or set maxUnavailable: 1",
        )


def _scaler(rendered: RenderedInput, item: Object) -> Iterator[Problem]:
    target = section(item, "spec", "scaleTargetRef")
    kind, name = str(target.get("kind") or "Deployment"), str(target.get("name"))
    if not _exists(rendered, kind, name, rendered.namespace_of(item)):
        yield rendered.problem(
            TARGET,
            item,
            f"{title_of(item)} scales {kind} {name}, which does not exist",
            "correct scaleTargetRef",
        )


def _way_in(rendered: RenderedInput, item: Object) -> Iterator[Problem]:
    targets = {"Ingress": _of_ingress, "HTTPRoute": _of_http_route, "Route": _of_route}
    for name, wanted in targets[str(item["kind"])](section(item, "spec")):
        found = [
            other
            for other in rendered.of("Service")
            if section(other, "metadata").get("name") == name
        ]
        ports = [row for other in found for row in entries(other, "spec", "ports")]
        if not any(wanted in (row.get("name"), row.get("port")) for row in ports):
            yield rendered.problem(
                TARGET,
                item,
                f"{title_of(item)} leads to port {wanted} of Service {name}, which does not exist",
                "correct the backend",
            )


Target = tuple[str, Any]
"""Name of a Service, and name or number of its port."""


def _of_ingress(spec: Mapping[str, Any]) -> Iterator[Target]:
    for backend in _backends(spec):
        service = section(backend, "service")
        if service:
            port = section(service, "port")
            yield str(service.get("name")), port.get("name") or port.get("number")


def _of_http_route(spec: Mapping[str, Any]) -> Iterator[Target]:
    """Backends of the route's own namespace: others need a ReferenceGrant there."""
    for rule in entries(spec, "rules"):
        for backend in entries(rule, "backendRefs"):
            if backend.get("kind", "Service") == "Service" and not backend.get("namespace"):
                yield str(backend.get("name")), backend.get("port")


def _of_route(spec: Mapping[str, Any]) -> Iterator[Target]:
    """Without a port every one of the Service will do; a number is that of the pods."""
    port = section(spec, "port").get("targetPort")
    if isinstance(port, str):
        yield str(section(spec, "to").get("name")), port


def _backends(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    default = section(spec, "defaultBackend")
    if default:
        yield default
    for rule in entries(spec, "rules"):
        for path in entries(rule, "http", "paths"):
            yield section(path, "backend")


def _exists(rendered: RenderedInput, kind: str, name: str, namespace: str) -> bool:
    return any(
        section(item, "metadata").get("name") == name and rendered.namespace_of(item) == namespace
        for item in rendered.of(kind)
    )


def _labels(item: Object) -> Mapping[str, Any]:
    return section(item, "metadata", "labels")
