"""The series of one environment in Prometheus, and expressions over them.

Names of Airflow's are those that `generator/airflow/metrics.json` holds, after the mapping. The
ServiceMonitors of gen-env give each series the labels `namespace` and `service`. PgBouncer's are
those of the exporter in the chart (jbub/pgbouncer_exporter 0.18, internal/collector/metrics.go),
those of pods are kube-state-metrics'.
"""

from __future__ import annotations

import dataclasses
import re

from generator.airflow import statsd_mapping
from generator.release.release import Release


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """Selectors of an environment's series."""

    namespace: str
    name: str
    """What the names of its Services and pods begin with."""
    version: str
    """Of the Airflow that runs."""

    @classmethod
    def of(cls, release: Release) -> Series:
        """Those of a release."""
        environment = release.environment
        return cls(environment.namespace, release.topology.names.full, release.runs.airflow)

    def sends(self, metric: str) -> bool:
        """Whether this Airflow sends a metric, as far as that is known."""
        return statsd_mapping.sends(self.version, metric)

    def airflow(self, metric: str, more: str = "") -> str:
        """One of Airflow's metrics, by its name in StatsD without labels."""
        return f"{statsd_mapping.family(metric)}{self._of('statsd', more)}"

    def pgbouncer(self, metric: str, more: str = "") -> str:
        """One of the PgBouncer exporter's metrics."""
        return f"pgbouncer_exporter_{metric}{self._of('pgbouncer', more)}"

    def pods(self, metric: str, more: str) -> str:
        """One of kube-state-metrics, about the pods of this release."""
        names = re.escape(self.name).replace("\\", "\\\\")
        return f'kube_pod_{metric}{{namespace="{self.namespace}",pod=~"{names}-.*",{more}}}'

    def cron_job(self, metric: str, name: str) -> str:
        """One of kube-state-metrics, about a CronJob."""
        return f'kube_cronjob_{metric}{{namespace="{self.namespace}",cronjob="{name}"}}'

    def up(self) -> str:
        """Whether the StatsD exporter is scraped."""
        return f"up{self._of('statsd', '')}"

    def _of(self, component: str, more: str) -> str:
        own = f'namespace="{self.namespace}",service="{self.name}-{component}"'
        return f"{{{own}{more and ',' + more}}}"


def silent(series: str, minutes: int) -> str:
    """True where a counter did not move for so long, or is not there at all."""
    return f"sum(absent({series})) or sum(increase({series}[{minutes}m])) == 0"


def happened(series: str, minutes: int) -> str:
    """True where a counter moved; `increase` does not see the value that a series begins with."""
    begun = f"{series} unless {series} offset {minutes}m"
    return f"sum(increase({series}[{minutes}m])) > 0 or count({begun}) > 0"
