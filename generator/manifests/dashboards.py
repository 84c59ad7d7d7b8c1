"""The Grafana dashboard: a ConfigMap for Grafana's sidecar, or an object of Grafana's operator."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import Kind, Manifest, manifest
from generator.monitoring import dashboard
from generator.release.release import Release

_CONFIG_MAP = Kind(ResourceType("", "v1", "configmaps", "ConfigMap"), optional=True)
_DASHBOARD = Kind(
    ResourceType("grafana.integreatly.org", "v1beta1", "grafanadashboards", "GrafanaDashboard"),
    optional=True,
)
_SIDECAR, _OPERATOR = {"grafana_dashboard": "1"}, {"dashboards": "grafana"}


def dashboards(release: Release) -> list[dict[str, Any]]:
    """One object with the dashboard, or none."""
    wanted = release.environment.metrics.dashboards
    if wanted == "off":
        return []
    name = release.topology.names.of_part("dashboard")
    labels, text = release.resolved.cluster.monitoring.dashboard_labels, dashboard.document(release)
    if wanted == "sidecar":
        file = f"{release.environment.namespace}-{name}.json"
        body: dict[str, Any] = {"data": {file: text}}
        return [manifest(release, _CONFIG_MAP, name, body, more_labels=labels or _SIDECAR)]
    spec = {
        "allowCrossNamespaceImport": True,
        "instanceSelector": {"matchLabels": dict(labels or _OPERATOR)},
        "json": text,
    }
    return [manifest(release, _DASHBOARD, name, {"spec": spec})]


MANIFEST = Manifest("dashboards", (_CONFIG_MAP, _DASHBOARD), dashboards)
