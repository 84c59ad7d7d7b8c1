"""What Prometheus can read from the collector: from its configuration, whoever wrote that."""

import re
from pathlib import Path

import pytest
import yaml

from generator.manifests import network_policies, service_monitors
from generator.release.v1 import otel_collector
from tests.repositories import STAGING, built, changed, release

OTEL = STAGING + "metrics: {type: otel, serviceMonitor: true}\n"
TRACED = OTEL + "tracing: {enabled: true}\n"
OWN = """\
values:
  otelCollector:
    config: |
      receivers: {otlp: {protocols: {http: {endpoint: "0.0.0.0:4318"}}}}
      exporters: {otlphttp: {endpoint: https://otel.example.com}}
      service: {pipelines: {metrics: {receivers: [otlp], exporters: [otlphttp]}}}
"""


def given(config, **more):
    return {"otelCollector": {"config": config, **more}}


def objects(text):
    return {
        f"{item['kind']}/{item['metadata']['name']}": item
        for item in service_monitors.monitors(release(text))
    }


def test_metrics_are_offered_to_prometheus_and_traces_logged():
    config = yaml.safe_load(otel_collector.configuration(metrics=True, traces=True))
    pipelines = config["service"]["pipelines"]
    assert pipelines["metrics"]["exporters"] == ["prometheus"]
    assert pipelines["traces"]["exporters"] == ["logging"]
    assert set(config["exporters"]) == {"prometheus", "logging"}
    assert config["extensions"]["health_check"]["endpoint"] == "0.0.0.0:13133", "probes ask there"
    assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == "0.0.0.0:4318"


@pytest.mark.parametrize(
    ("metrics", "traces", "ports"),
    [
        (True, True, {"otel-metrics": 8889, "otel-telemetry": 8888}),
        (True, False, {"otel-metrics": 8889, "otel-telemetry": 8888}),
        (False, True, {"otel-telemetry": 8888}),
    ],
)
def test_only_what_is_used_is_configured(metrics, traces, ports):
    text = otel_collector.configuration(metrics=metrics, traces=traces)
    assert dict(otel_collector.scraped(given(text))) == ports
    used = yaml.safe_load(text)["service"]["pipelines"]
    assert ("metrics" in used, "traces" in used) == (metrics, traces)


@pytest.mark.parametrize(
    ("config", "ports"),
    [
        (None, {}),
        ("{{ .Values.x }}", {}),
        ("a: [", {}),
        ("- 1", {}),
        ("exporters: {prometheus: {endpoint: ':9464'}}", {}),
        (
            "exporters: {prometheus/two: {endpoint: ':9464'}}\n"
            "service: {pipelines: {metrics/x: {exporters: [prometheus/two]}}}",
            {"otel-metrics": 9464},
        ),
        ("service: {telemetry: {metrics: {address: ':8888'}}}", {"otel-telemetry": 8888}),
        ("service: {telemetry: {metrics: {address: 'localhost:8888'}}}", {}),
        ("service: {telemetry: {metrics: {address: nowhere}}}", {}),
    ],
)
def test_ports_are_read_from_any_configuration(config, ports):
    assert dict(otel_collector.scraped(given(config))) == ports


@pytest.mark.parametrize(
    ("config", "signal", "lost"),
    [
        (None, "metrics", True),
        ("{{ .Values.x }}", "metrics", False),
        ("service: {pipelines: {metrics: {exporters: [logging, debug/x]}}}", "metrics", True),
        ("service: {pipelines: {metrics: {exporters: [logging, otlp]}}}", "metrics", False),
        ("service: {pipelines: {metrics: {exporters: [logging]}}}", "traces", False),
    ],
)
def test_what_only_reaches_the_log_is_known(config, signal, lost):
    assert otel_collector.ends_in_log(given(config), signal) is lost


def test_a_service_of_ours_leads_prometheus_to_ports_that_the_chart_does_not_open():
    found = objects(TRACED)
    service = found["Service/airflow-otel-collector-metrics"]
    monitor = found["ServiceMonitor/airflow-otel-collector"]
    assert service["spec"]["selector"] == {
        "component": "otel-collector",
        "release": "airflow",
        "tier": "airflow",
    }
    ports = {port["name"]: port["targetPort"] for port in service["spec"]["ports"]}
    assert ports == {"otel-metrics": 8889, "otel-telemetry": 8888}
    assert [item["port"] for item in monitor["spec"]["endpoints"]] == list(ports)
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()


@pytest.mark.parametrize(
    "text",
    [
        STAGING + "metrics: {type: otel}\n",
        STAGING + 'metrics: {type: otel, endpoint: "otel:4318", serviceMonitor: true}\n',
        OTEL + OWN,
    ],
    ids=["no monitor asked for", "a collector of theirs", "a configuration of theirs"],
)
def test_without_a_port_to_scrape_there_is_no_monitor(text):
    assert not any("otel" in name for name in objects(text))


def test_prometheus_may_reach_these_ports_and_nothing_else_may():
    enforced = "networkPolicy: {mode: ingress}\n"
    policies, problems = network_policies.policies(release(OTEL + enforced))
    assert not problems
    (policy,) = [item for item in policies if item["metadata"]["name"].endswith("otel-collector")]
    scrape = [
        rule
        for rule in policy["spec"]["ingress"]
        if {port["port"] for port in rule["ports"]} == {8888, 8889}
    ]
    (rule,) = scrape
    labels = rule["from"][0]["namespaceSelector"]["matchLabels"]
    assert labels == {"kubernetes.io/metadata.name": "monitoring"}


def test_their_own_configuration_stays():
    text = release(changed(OTEL + OWN)).values["otelCollector"]["config"]
    assert "otel.example.com" in text and "prometheus" not in text


PAGE = Path(__file__).parents[3] / "docs" / "definition.md"


def documented():
    text = PAGE.read_text("utf-8")
    return re.search(r"```yaml\n(metrics: [^`]*headersSecretName[^`]*)```", text)[1]


def test_headers_come_from_a_secret_that_is_asked_for():
    made = release(STAGING + documented())
    rows = {row["envName"]: row["secretName"] for row in made.values["secret"]}
    assert rows == {
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "otlp",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "otlp",
    }
    (need,) = (item for item in made.sealed if item.name == "otlp")
    assert need.key_names == ("headers",) and "worker" in need.restarts


def test_a_collector_with_tls_is_verified_with_the_companys_authorities():
    def file(text):
        found = {row["name"]: row["value"] for row in release(text).values["env"]}
        return found.get("OTEL_EXPORTER_OTLP_CERTIFICATE")

    ca = "ca: {configMap: company}\n"
    assert file(STAGING + documented() + ca) == "/etc/company-ca/ca.crt"
    assert file(STAGING + documented()) is None
    assert file(STAGING + documented() + "ca: {configMap: company, for: [git]}\n") is None
    plain = 'tracing: {enabled: true, endpoint: "otel:4317"}\n'
    assert file(STAGING + plain + ca) is None


@pytest.mark.parametrize(
    "part",
    [
        "metrics: {type: otel, headersSecretName: otlp}",
        'metrics: {endpoint: "a:8125", headersSecretName: otlp}',
        "tracing: {enabled: true, headersSecretName: otlp}",
    ],
)
def test_headers_without_a_collector_of_yours_are_refused(part):
    (problem,) = built(f"{STAGING}{part}\n").problems
    assert "endpoint" in problem.message
