"""Selectors that select nothing: monitors, policies, services, budgets."""

from __future__ import annotations

from collections.abc import Iterator

from generator.health import fields
from generator.impact.disruption import selected
from generator.impact.finding import Finding, info, warning
from generator.impact.view import Context, View
from generator.impact.workload import is_selected
from generator.resource import Key, Object

Statement = tuple[str, Key, str]


def selects_nothing(context: Context) -> Iterator[Finding]:
    """`impact/…-selects-nothing`: an object without effect, as nothing carries its labels."""
    before = set(_statements(context.base))
    for rule, key, message in _statements(context.head):
        if (rule, key, message) in before:
            yield info(rule, key, f"{message} (already so before this change)")
        else:
            yield warning(rule, key, message)


def _statements(view: View) -> Iterator[Statement]:
    for key, manifest in view.of_kind("ServiceMonitor").items():
        message = _service_monitor(view, key, manifest)
        if message:
            yield "monitor-selects-nothing", key, message
    for key, manifest in view.of_kind("PodMonitor").items():
        if not selected(view, manifest, key.namespace):
            yield "monitor-selects-nothing", key, "selects no pod: no metrics are collected"
    for key, manifest in view.of_kind("PodDisruptionBudget").items():
        if not selected(view, manifest, key.namespace):
            yield "budget-selects-nothing", key, "selects no pod, so it protects nothing"
    for key, manifest in view.of_kind("Service").items():
        labels = fields.section(manifest, "spec", "selector")
        works = (w for w in view.workloads if w.key.namespace == key.namespace)
        if labels and not any(is_selected({"matchLabels": labels}, w.labels) for w in works):
            yield "service-selects-nothing", key, "selects no pod: connections to it fail"


def _service_monitor(view: View, key: Key, manifest: Object) -> str | None:
    services = list(_services(view, key, manifest))
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


def _services(view: View, key: Key, manifest: Object) -> Iterator[Object]:
    """Those in the monitor's own namespace, or in the ones that `namespaceSelector` names."""
    anywhere = fields.at(manifest, "spec", "namespaceSelector", "any") is True
    names = fields.at(manifest, "spec", "namespaceSelector", "matchNames") or [key.namespace]
    selector = fields.section(manifest, "spec", "selector")
    for service, found in view.of_kind("Service").items():
        labels = fields.section(found, "metadata", "labels")
        if (anywhere or service.namespace in names) and is_selected(selector, labels):
            yield found


RULES = (selects_nothing,)
