"""Selectors that select nothing: monitors, policies, services, budgets."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View
from generator.impact.finding import BEFORE, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.disruption import protected
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.selectors import Labelled

Statement = tuple[ImpactRule, Key, str]

MONITOR_SELECTS_NOTHING = ImpactRule(
    "impact/monitor-selects-nothing",
    WARNING,
    "A monitor that selects nothing",
    "No metrics are collected.",
    "Prometheus operator",
    also=(BEFORE,),
)
BUDGET_SELECTS_NOTHING = ImpactRule(
    "impact/budget-selects-nothing",
    WARNING,
    "A disruption budget that selects no pod",
    "It protects nothing.",
    "Kubernetes",
    also=(BEFORE,),
)
SERVICE_SELECTS_NOTHING = ImpactRule(
    "impact/service-selects-nothing",
    WARNING,
    "A Service that selects no pod",
    "Connections to it fail.",
    "Kubernetes",
    also=(BEFORE,),
)


def selects_nothing(context: Context) -> Iterator[Finding]:
    """`impact/…-selects-nothing`: an object without effect, as nothing carries its labels."""
    before = set(_statements(context.base))
    for rule, key, message in _statements(context.head):
        if (rule, key, message) in before:
            yield rule.finding(key, f"{message} (already so before this change)", INFO)
        else:
            yield rule.finding(key, message)


def _statements(view: View) -> Iterator[Statement]:
    services = Labelled(
        (key.namespace, fields.section(service, "metadata", "labels"), service)
        for key, service in view.of_kind("Service").items()
    )
    for key, manifest in view.of_kind("ServiceMonitor").items():
        message = _service_monitor(_services(services, key, manifest), manifest)
        if message:
            yield MONITOR_SELECTS_NOTHING, key, message
    for key, manifest in view.of_kind("PodMonitor").items():
        if not view.pods.selected(fields.section(manifest, "spec", "selector"), key.namespace):
            yield MONITOR_SELECTS_NOTHING, key, "selects no pod: no metrics are collected"
    for key, manifest in view.of_kind("PodDisruptionBudget").items():
        if not protected(view, key, manifest):
            yield BUDGET_SELECTS_NOTHING, key, "selects no pod, so it protects nothing"
    for key, manifest in view.of_kind("Service").items():
        labels = fields.section(manifest, "spec", "selector")
        if labels and not view.pods.selected({"matchLabels": labels}, key.namespace):
            yield SERVICE_SELECTS_NOTHING, key, "selects no pod: connections to it fail"


def _service_monitor(services: list[Object], manifest: Object) -> str | None:
    if not services:
        return "selects no Service: no metrics are collected"
    ports = {
        fields.text(port, "name")
        for service in services
        for port in fields.entries(service, "spec", "ports")
    }
    wanted = [fields.text(entry, "port") for entry in fields.entries(manifest, "spec", "endpoints")]
    absent = sorted({port for port in wanted if port and port not in ports})
    if absent:
        return f"no selected Service has a port named {', '.join(absent)}: it is not scraped"
    return None


def _services(services: Labelled[Object], key: Key, manifest: Object) -> list[Object]:
    """Those in the monitor's own namespace, or in the ones that `namespaceSelector` names."""
    names = fields.at(manifest, "spec", "namespaceSelector", "matchNames")
    if fields.at(manifest, "spec", "namespaceSelector", "any") is True:
        names = services.namespaces
    selector = fields.section(manifest, "spec", "selector")
    return [
        service
        for name in (names if isinstance(names, list) and names else [key.namespace])
        for service in services.selected(selector, str(name))
    ]


FINDERS = (selects_nothing,)
