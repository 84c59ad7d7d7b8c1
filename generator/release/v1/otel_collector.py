"""The chart's OpenTelemetry collector: its configuration, and what Prometheus can read from it.

Chart 1.22.0 ships contrib 0.70.0 with a configuration that writes everything to the collector's
own log, and opens no port but the two of OTLP. `otelCollector.config` replaces that configuration;
a port that the pod does not declare is reached through a Service of our own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup
from generator.release.v1.names import PORTS
from generator.yaml.errors import YamlError
from generator.yaml.manifests import load_manifests
from generator.yaml.writer import dump

_CONFIG = "otelCollector.config"
_PORT = re.compile(r"(?P<host>.*):(?P<port>[0-9]{1,5})")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# Exporters that write to the collector's own log: `logging` became `debug` in 0.86.
_LOG_ONLY = ("logging", "debug")


def configuration(*, metrics: bool, traces: bool) -> str:
    """A configuration in which Prometheus can scrape Airflow's metrics and the collector's own.

    Traces go to the log, as in the chart's: where they belong is not known here.
    """
    pipelines = {}
    if metrics:
        pipelines["metrics"] = _pipeline("prometheus")
    if traces:
        pipelines["traces"] = _pipeline("logging")
    exporters: dict[str, Any] = {}
    if metrics:
        # Series of finished DAGs go away after the same time as with the StatsD exporter.
        exporters["prometheus"] = {"endpoint": _any("otel-metrics"), "metric_expiration": "15m"}
    if traces:
        exporters["logging"] = {"verbosity": "basic"}
    protocols = {"grpc": {"endpoint": _any("otlp-grpc")}, "http": {"endpoint": _any("otlp-http")}}
    return dump(
        {
            # The chart's probes ask this port.
            "extensions": {"health_check": {"endpoint": "0.0.0.0:13133"}},
            "receivers": {"otlp": {"protocols": protocols}},
            "processors": {"batch": {}},
            "exporters": exporters,
            "service": {
                "extensions": ["health_check"],
                "telemetry": {"metrics": {"address": _any("otel-telemetry")}},
                "pipelines": pipelines,
            },
        }
    )


def _pipeline(exporter: str) -> dict[str, Any]:
    return {"receivers": ["otlp"], "processors": ["batch"], "exporters": [exporter]}


def _any(port: str) -> str:
    return f"0.0.0.0:{PORTS[port]}"


def scraped(values: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Name and number of every port on which the collector answers Prometheus."""
    written = _written(values)
    found = {}
    exporters = lookup(written, "exporters") or {}
    for name in sorted({name for names in _exporters(written).values() for name in names}):
        if name.partition("/")[0] == "prometheus":
            found["otel-metrics"] = _number((exporters.get(name) or {}).get("endpoint"))
    found["otel-telemetry"] = _number(lookup(written, "service.telemetry.metrics.address"))
    return tuple((name, number) for name, number in found.items() if number is not None)


def ends_in_log(values: Mapping[str, Any], signal: str) -> bool:
    """Whether what arrives of `signal` (traces or metrics) is only written to a log."""
    if not lookup(values, _CONFIG):
        return True
    found = _exporters(_written(values))
    named = [name.partition("/")[0] for name in found.get(signal, [])]
    return bool(named) and all(name in _LOG_ONLY for name in named)


def _written(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration in the values; nothing where it is a template or cannot be read."""
    text = lookup(values, _CONFIG)
    if not isinstance(text, str) or "{{" in text:
        return {}
    try:
        return next(iter(load_manifests(text.encode())), {})
    except YamlError:
        return {}


def _exporters(written: Mapping[str, Any]) -> dict[str, list[str]]:
    """Signal → exporters of its pipelines; a pipeline may be called `metrics/second`."""
    found: dict[str, list[str]] = {}
    pipelines = lookup(written, "service.pipelines")
    for name, pipeline in pipelines.items() if isinstance(pipelines, Mapping) else ():
        exporters = pipeline.get("exporters") if isinstance(pipeline, Mapping) else None
        signal = str(name).partition("/")[0]
        found.setdefault(signal, []).extend(map(str, exporters or []))
    return found


def _number(endpoint: Any) -> int | None:
    """The port of an address that other pods can reach."""
    match = _PORT.fullmatch(str(endpoint or ""))
    return int(match["port"]) if match and match["host"] not in _LOOPBACK else None
