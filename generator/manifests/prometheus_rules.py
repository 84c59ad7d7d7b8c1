"""The alerts of an environment: a PrometheusRule, or a ConfigMap for a sidecar of Prometheus."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import Kind, Manifest, manifest
from generator.monitoring import runbooks
from generator.monitoring.alert import Alert
from generator.monitoring.alerts import alerts
from generator.release.release import Release
from generator.yaml.writer import dump

_RULES = Kind(
    ResourceType("monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule"),
    optional=True,
)
_CONFIG_MAP = Kind(ResourceType("", "v1", "configmaps", "ConfigMap"), optional=True)
_SIDECAR = {"prometheus_rule": "1"}


def rules(release: Release) -> list[dict[str, Any]]:
    """One object with every alert, or none."""
    found = alerts(release)
    if not found:
        return []
    name = release.topology.names.of_part("alerts")
    spec = {
        "groups": [
            {
                "name": f"{release.environment.namespace}.{name}",
                "rules": [_rule(release, item) for item in found],
            }
        ]
    }
    labels = release.resolved.cluster.monitoring.labels
    if release.environment.metrics.discovery == "annotations":
        file = f"{release.environment.namespace}-{name}.yaml"
        body = {"data": {file: dump(spec)}}
        return [manifest(release, _CONFIG_MAP, name, body, more_labels=labels or _SIDECAR)]
    return [manifest(release, _RULES, name, {"spec": spec}, more_labels=labels)]


def _rule(release: Release, alert: Alert) -> dict[str, Any]:
    wanted = release.environment.metrics.alerts
    own = {
        "severity": alert.severity,
        "environment": release.resolved.name,
        "namespace": release.environment.namespace,
    }
    made: dict[str, Any] = {
        "alert": alert.name,
        "expr": alert.expression,
        "labels": {**(wanted.labels if wanted else {}), **own},
        "annotations": {
            "summary": f"{release.resolved.name}: {alert.summary}",
            "description": alert.meaning,
            "runbook_url": runbooks.url(release, alert),
        },
    }
    if alert.minutes:
        made["for"] = f"{alert.minutes}m"
    return made


MANIFEST = Manifest("prometheus-rules", (_RULES, _CONFIG_MAP), rules)
