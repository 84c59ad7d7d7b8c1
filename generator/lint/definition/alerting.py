"""Rules about alerts and dashboards: whether there are series for them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.airflow import statsd_mapping
from generator.core.layered import lookup
from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import INFO, WARNING
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "monitoring/alerts-without-series",
    WARNING,
    "Alerts or dashboards about metrics that are not scraped",
    "They read what the chart's StatsD exporter gives, with the labels of its ServiceMonitor; "
    "without these, alerts on lost components always fire and the others never.",
)
def _series(release: Release) -> Iterator[Place]:
    metrics = release.environment.metrics
    if not metrics.labelled:
        return
    path = ("metrics", "alerts" if metrics.alerts else "dashboards")
    if not release.topology.has("statsd"):
        yield path, "the chart's StatsD exporter does not run", (
            "set metrics.type to statsd without endpoint, or leave out metrics.alerts and "
            "metrics.dashboards"
        )  # fmt: skip
    elif not metrics.service_monitor and metrics.discovery == "operator":
        yield path, "no ServiceMonitor labels the series", (
            "set metrics.serviceMonitor to true, or metrics.discovery to annotations if Prometheus "
            "finds Services by them"
        )  # fmt: skip


@_rule(
    "monitoring/names-not-captured",
    INFO,
    "Alerts or dashboards for a release of Airflow whose metrics were not captured",
    "Names of metrics change between minor releases; an alert on a name that is not sent is "
    "silent.",
)
def _captured(release: Release) -> Iterator[Place]:
    metrics, version = release.environment.metrics, release.runs.airflow
    lines = sorted({name.rpartition(".")[0] for name in statsd_mapping.names()["sent"]})
    if metrics.labelled and version.rpartition(".")[0] not in lines:
        yield (
            ("metrics", "alerts" if metrics.alerts else "dashboards"),
            f"the metrics of Airflow {version} were not captured, those of {' and '.join(lines)} "
            "were",
            "look in Prometheus whether each alert's series are there",
        )


@_rule(
    "monitoring/own-metric-names",
    WARNING,
    "Alerts or dashboards beside a setting that changes the names of metrics",
    "They look for names that are then not sent.",
)
def _renamed(release: Release) -> Iterator[Place]:
    if not release.environment.metrics.labelled:
        return
    usual = {"statsd_prefix": "airflow", "legacy_names_on": "True"}
    for option, value in usual.items():
        own = lookup(release.values, f"config.metrics.{option}")
        if own is not None and str(own).lower() != value.lower():
            yield (
                ("metrics", "alerts" if release.environment.metrics.alerts else "dashboards"),
                f"config.metrics.{option} is set to '{own}'",
                f"leave it out: the alerts need '{value}'",
            )
