"""ServiceMonitor and its siblings: status is new (`status.bindings`) and mostly switched off."""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy
from generator.kube.fields import entries, text
from generator.kube.resource import Object


def assess_monitor(manifest: Object) -> Health:
    """Refused by a Prometheus that selected it; where nothing is reported, its existence counts."""
    bindings = entries(manifest, "status", "bindings")
    for binding in bindings:
        for item in entries(binding, "conditions"):
            if text(item, "type") == "Accepted" and text(item, "status") == "False":
                where = f"{text(binding, 'namespace')}/{text(binding, 'name')}"
                return degraded(
                    f"refused by {where}: {text(item, 'reason')} {text(item, 'message')}"
                )
    if bindings:
        return healthy(f"accepted by {len(bindings)} monitoring workloads")
    return healthy("exists; whether a Prometheus selects it is not reported")
