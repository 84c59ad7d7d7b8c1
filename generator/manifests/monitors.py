"""ServiceMonitors for what exports metrics; the chart brings none."""

from __future__ import annotations

from typing import Any

from generator.manifests.common import manifest
from generator.release import Release

# Component → port names of its Service.
_SCRAPED = {"statsd": "statsd-scrape", "pgbouncer": "pgb-metrics"}


def monitors(release: Release) -> list[dict[str, Any]]:
    """One ServiceMonitor for each exporter, with the labels that Prometheus looks for."""
    if not release.environment.metrics.service_monitor:
        return []
    names = release.topology.names
    found = []
    for component, port in _SCRAPED.items():
        if not release.topology.has(component):
            continue
        spec = {
            "endpoints": [{"port": port, "path": "/metrics"}],
            "namespaceSelector": {"matchNames": [release.environment.namespace]},
            "selector": {"matchLabels": names.labels(component)},
        }
        found.append(
            manifest(
                release,
                "monitoring.coreos.com/v1",
                "ServiceMonitor",
                names.of_part(component),
                {"spec": spec},
                more_labels=release.resolved.cluster.monitoring.labels,
            )
        )
    return found
