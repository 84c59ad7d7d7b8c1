"""Peers by network, UDP, and an agent that takes StatsD instead of the chart's exporter."""

import pytest
import yaml

from generator.manifests import network_policies
from tests.repositories import PRODUCTION, SETTINGS, built, changed, release

AGENT = ("{type: statsd, serviceMonitor: true}", "{type: statsd, endpoint: %s}")


def rules(made, part, side):
    for item in network_policies.policies(made)[0]:
        if item["metadata"]["name"].endswith(f"-allow-{part}"):
            yield from item["spec"].get(side, ())


def agent(endpoint, peers="", more=""):
    text = changed(PRODUCTION, (AGENT[0], AGENT[1] % f'"{endpoint}"{more}'))
    return text.replace("  peers:\n", f"  peers:\n{peers}")


def test_a_load_balancer_that_reaches_pods_itself_is_a_network():
    text = PRODUCTION.replace("  peers:\n", "  peers:\n    ingress: [{cidr: 10.0.0.0/16}]\n")
    settings = changed(SETTINGS, (", namespace: ingress-nginx", ""))
    found = list(rules(release(text, settings=settings), "api-server", "ingress"))
    assert {"ipBlock": {"cidr": "10.0.0.0/16"}} in [peer for rule in found for peer in rule["from"]]
    _, problems = network_policies.policies(release(PRODUCTION, settings=settings))
    assert any("networkPolicy.peers.ingress" in problem.hint for problem in problems)


def test_a_port_may_be_of_udp():
    text = changed(PRODUCTION, ("ports: [443]", "ports: [443, 8125/UDP, 5432/TCP]"))
    (rule,) = [rule for rule in rules(release(text), "worker", "egress")
               if {"ipBlock": {"cidr": "10.30.0.0/16"}} in rule["to"]]  # fmt: skip
    assert [(row["port"], row["protocol"]) for row in rule["ports"]] == [
        (443, "TCP"), (8125, "UDP"), (5432, "TCP"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("ports: [443]", "ports: [0]"), "not a port such as"),
        (("ports: [443]", "ports: [70000/UDP]"), "not a port such as"),
        (("ports: [443]", "ports: [443/ICMP]"), "TCP, UDP or SCTP"),
        (("git: [{cidr", "ingress: [{ports: [1], cidr"), "remove its ports"),
        ((AGENT[0], "{datadog: true}"), "with an endpoint"),
        ((AGENT[0], "{type: otel, endpoint: a, datadog: true}"), "for type statsd"),
        ((AGENT[0], "{endpoint: agent}"), "host:port"),
        ((AGENT[0], '{endpoint: "agent:70000"}'), "host:port"),
        ((AGENT[0], '{endpoint: "udp://agent:8125"}'), "host:port"),
        ((AGENT[0], '{endpoint: "unix:///a"}'), "add datadog: true"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    (problem,) = built(changed(PRODUCTION, change)).problems
    assert words in problem.message


def test_an_agent_behind_a_service_replaces_the_exporter_and_must_be_declared():
    made = release(agent("telegraf.monitoring:8125"))
    assert not made.topology.has("statsd") and made.values["statsd"]["enabled"] is False
    assert made.values["config"]["metrics"]["statsd_host"] == "telegraf.monitoring"
    assert made.values["config"]["metrics"]["statsd_on"] == "True"
    _, problems = network_policies.policies(made)
    assert {"networkPolicy.peers.statsd" in problem.hint for problem in problems} == {True}
    peers = "    statsd: [{namespace: monitoring, podLabels: {app: telegraf}}]\n"
    found = release(agent("telegraf.monitoring:8125", peers))
    ports = [
        rule["ports"] for rule in rules(found, "scheduler", "egress") if "telegraf" in str(rule)
    ]
    assert ports == [[{"port": 8125, "protocol": "UDP"}]]
    assert network_policies.policies(found)[1] == ()


def test_the_agent_on_a_node_is_found_by_every_component_that_sends():
    made = release(agent("node:8125", "    statsd: [{cidr: 10.0.0.0/8}]\n", ", datadog: true"))
    values = made.values
    (row,) = yaml.safe_load(values["extraEnv"])
    assert row["name"] == "AIRFLOW__METRICS__STATSD_HOST"
    assert row["valueFrom"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
    assert values["config"]["metrics"]["statsd_datadog_enabled"] == "True"
    assert "statsd_host" not in values["config"]["metrics"]


def test_variables_of_values_are_added_to_those_of_fields():
    own = 'values: {extraEnv: "- {name: A, value: b}", extraEnvFrom: "- configMapRef: {name: x}"}\n'
    extra = "secrets: {extra: {more: {envFrom: true, keys: [B]}}}\n"
    made = release(agent("node:8125", "    statsd: [{cidr: 10.0.0.0/8}]\n") + extra + own)
    names = [row["name"] for row in yaml.safe_load(made.values["extraEnv"])]
    assert names == ["AIRFLOW__METRICS__STATSD_HOST", "A"]
    assert [*map(list, yaml.safe_load(made.values["extraEnvFrom"]))] == [
        ["secretRef"],
        ["configMapRef"],
    ]


def test_a_socket_needs_no_policy():
    made = release(agent("unix:///var/run/datadog/dsd.socket", more=", datadog: true"))
    assert {"name": "DD_DOGSTATSD_URL", "value": "unix:///var/run/datadog/dsd.socket"} in (
        made.values["env"]
    )
    assert network_policies.policies(made)[1] == ()
