"""What is kept of a running Airflow: task logs, metrics, traces."""

import re
from typing import Annotated, Literal, Self

import pydantic

from generator.model import built_in
from generator.model.base import Bool, Int, Line, Name, Positive, Spec, Text
from generator.model.components import Resources, Volume
from generator.model.marks import Copied

_SOCKET = "unix:///"
_HIGHEST_PORT = 65_535
Minutes = Annotated[Int, pydantic.Field(ge=1, le=1440)]
NODE = "node"
"""In place of a host: the agent on the node of each pod."""


class RemoteLogging(Spec):
    """Task logs in an object store or a search engine."""

    type: Literal["s3", "gcs", "wasb", "elasticsearch", "opensearch"]
    """Where logs go; the image needs the provider's package."""
    url: Annotated[Line | None, Copied.ASK_URL] = None
    """Object stores: where logs go, such as s3://bucket/prefix."""
    connection_id: Line | None = None
    """Airflow connection with the credentials; none for the pods' own identity."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """elasticsearch, opensearch: holds the URL as `connection`; `<release>-logs` by default."""
    delete_local: Bool = True
    """Delete a task's log from the worker once it is uploaded."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        schemes = {"s3": ("s3://",), "gcs": ("gs://",), "wasb": ("wasb-", "wasb://")}
        wanted = schemes.get(self.type)
        if wanted and not (self.url or "").startswith(wanted):
            raise ValueError(f"logs of type {self.type} need a url that begins with {wanted[0]}")
        return self


class Logging(Spec):
    """Where task logs live after the pod: remote, or a volume that every pod can write."""

    remote: RemoteLogging | None = None
    persistence: Volume | None = None
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        if self.remote is not None and self.persistence is not None:
            raise ValueError("give only one of remote and persistence")
        return self


class Alerts(Spec):
    """PrometheusRules about Airflow; every alert has a page in generated/runbooks/."""

    lost_minutes: Minutes = 5
    """A scheduler, DAG processor or triggerer without a sign of life for so long is lost."""
    waiting_minutes: Minutes = 15
    """Tasks that wait, pools that are full and migrations that do not end for so long page."""
    parse_seconds: Positive = 20
    """A DAG file that takes longer to parse; Airflow gives up at core.dagbag_import_timeout."""
    connection_growth: Positive = 50
    """Per cent by which the lowest number of PgBouncer's clients may grow in six hours."""
    certificate_days: Positive = 14
    """The ingress' certificate ends sooner; cert-manager should have renewed it before."""
    labels: dict[Line, Text] = {}
    """More labels of every alert, by which Alertmanager routes it."""
    runbooks: Line | None = None
    """URL before the names of the pages, ending with /; by default that of the repository."""


class Metrics(Spec):
    """How Airflow's own metrics leave the pods."""

    type: Literal["statsd", "otel", "none"] = "statsd"
    """statsd: an exporter that Prometheus scrapes; otel: pushed to a collector."""
    service_monitor: Bool = False
    """A ServiceMonitor for the Prometheus operator."""
    discovery: Literal["operator", "annotations"] = "operator"
    """operator: ServiceMonitors, and alerts as a PrometheusRule; annotations: prometheus.io/scrape
    of the chart's Services, and alerts as a ConfigMap for a sidecar of Prometheus."""
    endpoint: Line | None = None
    """host:port of an agent (statsd) or collector (otel) of yours; by default the chart's own runs.
    statsd: also node:port, the agent on the pod's node, and unix:///path, a DogStatsD socket."""
    headers_secret_name: Annotated[Name | None, Copied.KEEP] = None
    """otel with an endpoint: holds `headers` for it, such as api-key=…, several with commas."""
    datadog: Bool = False
    """statsd: DogStatsD's format, with tags; the image needs the package datadog."""
    alerts: Alerts | None = None
    """Alerts for Prometheus; metrics then have labels in place of names in names."""
    dashboards: Literal["off", "sidecar", "operator"] = "off"
    """Grafana dashboards: ConfigMaps for Grafana's sidecar, or objects of Grafana's operator;
    metrics then have labels in place of names in names."""
    resources: Annotated[Resources | None, built_in.SMALL] = None
    """Requests and limits of the exporter or collector."""

    @property
    def labelled(self) -> bool:
        """Whether the exporter turns names in names of metrics into labels."""
        return self.alerts is not None or self.dashboards != "off"

    @property
    def agent(self) -> tuple[str, int] | None:
        """Host and port of an agent of yours that takes StatsD; port 0 for a socket."""
        if self.type != "statsd" or self.endpoint is None:
            return None
        if self.endpoint.startswith(_SOCKET):
            return self.endpoint, 0
        host, _, port = self.endpoint.rpartition(":")
        return host, int(port)

    @pydantic.model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.headers_secret_name and (self.type != "otel" or self.endpoint is None):
            raise ValueError("headersSecretName is for type otel with an endpoint")
        if self.service_monitor and self.discovery == "annotations":
            raise ValueError("discovery annotations and serviceMonitor would scrape all twice")
        if self.datadog and (self.type != "statsd" or self.endpoint is None):
            raise ValueError("datadog is for type statsd with an endpoint")
        if self.type != "statsd" or self.endpoint is None:
            return self
        if self.endpoint.startswith(_SOCKET):
            if not self.datadog:
                raise ValueError(
                    "Airflow sends to a socket in DogStatsD's format: add datadog: true"
                )
        elif (
            not re.fullmatch(r"\S+:[1-9][0-9]{0,4}", self.endpoint)
            or "://" in self.endpoint
            or int(self.endpoint.rpartition(":")[2]) > _HIGHEST_PORT
        ):
            raise ValueError("write the agent as host:port, node:port or unix:///path")
        return self


class Tracing(Spec):
    """OpenTelemetry traces."""

    enabled: Bool = False
    """Send traces of DAG runs and tasks."""
    endpoint: Line | None = None
    """host:port of a collector of yours; by default the chart's own runs."""
    headers_secret_name: Annotated[Name | None, Copied.KEEP] = None
    """Holds `headers` for that endpoint, such as api-key=…, several with commas."""

    @pydantic.model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.headers_secret_name and self.endpoint is None:
            raise ValueError("headersSecretName goes with an endpoint")
        return self
