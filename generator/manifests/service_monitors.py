"""ServiceMonitors for what exports metrics; the chart brings none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import Kind, Manifest, manifest
from generator.release.release import Release

_MONITOR = Kind(
    ResourceType("monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor"),
)
_SERVICE = Kind(ResourceType("", "v1", "services", "Service"))
# Component → port names of its Service.
_SCRAPED = {"statsd": "statsd-scrape", "pgbouncer": "pgb-metrics"}
# By a mark of the chart's templates: what others call it.
_OLD = ("old-scrape-port", {"pgbouncer": "pgbouncer-metrics"})
_COLLECTOR = "otel-collector"
# By labels of our own: those of the chart would select its Service too.
_OURS = {"gen-env.dev/scrape": _COLLECTOR}


def monitors(release: Release) -> list[dict[str, Any]]:
    """One ServiceMonitor for each exporter, with the labels that Prometheus looks for.

    The collector is scraped where its configuration opens ports for it, through a Service of ours.
    """
    if not release.environment.metrics.service_monitor:
        return []
    names = release.topology.names
    found = []
    for component, port in _ports(release).items():
        if release.topology.has(component):
            found.append(_monitor(release, component, [port], names.labels(component)))
    ports = release.line.scraped(release.values)
    if release.topology.has(_COLLECTOR) and ports:
        found.append(_service(release, ports))
        found.append(_monitor(release, _COLLECTOR, [name for name, _ in ports], _OURS))
    return found


def _ports(release: Release) -> Mapping[str, str]:
    mark, names = _OLD
    is_old = release.traits is not None and release.traits.marked(mark)
    return {**_SCRAPED, **names} if is_old else _SCRAPED


def _monitor(
    release: Release, component: str, ports: Sequence[str], labels: Mapping[str, str]
) -> dict[str, Any]:
    spec = {
        "endpoints": [{"port": port, "path": "/metrics"} for port in ports],
        "namespaceSelector": {"matchNames": [release.environment.namespace]},
        "selector": {"matchLabels": dict(labels)},
    }
    return manifest(
        release,
        _MONITOR,
        release.topology.names.of_part(component),
        {"spec": spec},
        more_labels=release.resolved.cluster.monitoring.labels,
    )


def _service(release: Release, ports: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """The chart's Service of the collector has the ports of OTLP alone."""
    names = release.topology.names
    spec = {
        "type": "ClusterIP",
        "selector": names.labels(_COLLECTOR),
        "ports": [
            {"name": name, "port": number, "protocol": "TCP", "targetPort": number}
            for name, number in ports
        ],
    }
    name = f"{names.of_part(_COLLECTOR)}-metrics"
    return manifest(release, _SERVICE, name, {"spec": spec}, more_labels=_OURS)


MANIFEST = Manifest("service-monitors", (_MONITOR, _SERVICE), monitors)
