"""The policies that are generated, tried on every connection that somebody could open.

Pods and their labels come from the rendered chart. What must pass is written down here flow by flow
(from, to, port), and in `enforce` mode everything else must not.
"""

import functools
import itertools
from typing import NamedTuple

import pytest

from generator.manifests import network_policies
from generator.pipeline import generate
from generator.release.v1 import topology
from tests import definitions, wiring
from tests.network_evaluator import External, PodPeer, allowed

RUNNING = ("scheduler", "dag-processor", "triggerer", "worker")
JOBS = ("run-airflow-migrations", "create-user-job", "airflow-cleanup-pods", "database-cleanup")
# Every port on which some pod of the chart listens.
INSIDE = {
    *((port, "TCP") for port in (5432, 6379, 6543, 8080, 8793, 8794, 5555, 9102, 9127)),
    *((port, "TCP") for port in (4317, 4318, 22, 443)),
    *((port, "UDP") for port in (9125, 53)),
}
OUTSIDE = {
    "dns": (("kube-system", {"k8s-app": "kube-dns"}), {(53, "UDP"), (53, "TCP")}),
    "another name server": (("kube-system", {"k8s-app": "other"}), {(53, "UDP")}),
    "node's name cache": ("169.254.20.10", {(53, "UDP"), (53, "TCP")}),
    "database": ("10.20.0.5", {(5432, "TCP"), (3306, "TCP"), (22, "TCP")}),
    "git": ("140.82.112.3", {(22, "TCP"), (443, "TCP")}),
    "broker": ("10.60.0.7", {(6379, "TCP")}),
    "logs": ("10.40.0.9", {(443, "TCP"), (9200, "TCP")}),
    "identity": ("10.50.0.10", {(443, "TCP"), (636, "TCP")}),
    "token service": ("10.70.0.9", {(443, "TCP"), (80, "TCP")}),
    "identity's neighbour": ("10.50.0.11", {(443, "TCP"), (636, "TCP")}),
    "vault": (("vault", {"app": "vault"}), {(8200, "TCP")}),
    "collector": (("monitoring", {"app": "otel-collector"}), {(4317, "TCP"), (4318, "TCP")}),
    "kubernetes": ("10.0.0.3", {(443, "TCP"), (6443, "TCP")}),
    "what tasks need": ("10.30.5.5", {(443, "TCP"), (22, "TCP")}),
    "internet": ("1.1.1.1", {(443, "TCP"), (80, "TCP"), (53, "UDP")}),
    "instance metadata": ("169.254.169.254", {(80, "TCP")}),
}
VISITORS = {
    "ingress": ("ingress-nginx", {"app": "controller"}),
    "gateway": ("gateways", {"app": "envoy"}),
    "prometheus": ("monitoring", {"app": "prometheus"}),
    "stranger": (None, {"app": "stranger"}),
    "launched": (None, {"kubernetes_pod_operator": "True", "dag_id": "x"}),
    "foreigner": ("other", {"app": "stranger"}),
    "keda": ("keda", {"app": "keda-operator"}),
    "other keda": ("scaling", {"app": "keda-operator"}),
    "keda's neighbour": ("scaling", {"app": "keda-operator-metrics-apiserver"}),
}
# Name → the choices that matter; the rest is filled up.
TOPOLOGIES = {
    "local": {"executor": "local", "dags": "ssh", "database": "embedded", "metrics": "statsd"},
    "pooled celery": {
        "executor": "celery",
        "dags": "ssh",
        "database": "pgbouncer",
        "broker": "embedded",
        "scaling": "keda",
        "triggerer": "one",
        "metrics": "statsd",
        "logging": "s3",
        "auth": "oidc",
        "backend": "vault",
        "values": "flower",
        "ingress": "issuer",
        "name": "team",
        "cluster": "us",
        "airflow": "3.2.2",
    },
    "kubernetes": {
        "executor": "kubernetes",
        "dags": "bundles",
        "database": "postgresql",
        "metrics": "otel",
        "cleanup": "both",
        "logging": "gcs",
        "rbac": "default",
        "airflow": "3.2.2",
    },
    "both with mysql": {
        "executor": "celery-kubernetes",
        "dags": "token",
        "database": "mysql",
        "broker": "external",
        "metrics": "otel-elsewhere",
        "tracing": "elsewhere",
        "logging": "opensearch",
        "auth": "ldap",
        "ingress": "route",
        "airflow": "3.2.2",
    },
    "local and kubernetes": {
        "executor": "local-kubernetes",
        "dags": "volume",
        "database": "pgbouncer",
        "logging": "volume",
        "metrics": "none",
        "triggerer": "left-out",
        "ingress": "gateway",
    },
    "airflow 2": {
        "executor": "celery",
        "dags": "image",
        "database": "embedded",
        "airflow": "2.11.2",
        "scaling": "keda",
        "auth": "user",
        "logging": "elasticsearch",
        "ingress": "plain",
        "tier": "development",
    },
    "no launching": {
        "executor": "celery",
        "dags": "bundles",
        "database": "postgresql",
        "rbac": "no-launching",
        "backend": "vault",
    },
}


class Flow(NamedTuple):
    source: str
    target: str
    port: int
    protocol: str = "TCP"


def needed(case, parts):
    """What must pass for these choices, by the parts of the chart that there are."""
    modern = case["airflow"].startswith("3")
    celery, local, kubernetes = (
        word in case["executor"] for word in ("celery", "local", "kubernetes")
    )
    server = "api-server" if modern else "webserver"
    airflow = {part for part in (server, *RUNNING, "flower", *JOBS) if part in parts}
    scaled = case["scaling"] == "keda" and (celery or "triggerer" in parts)
    launching = case["rbac"] != "no-launching"
    found = set()

    def flow(sources, target, port, protocol="TCP"):
        found.update(Flow(source, target, port, protocol) for source in sources)

    everybody = {*parts, "stranger", "launched"}
    for protocol in ("UDP", "TCP"):
        flow(everybody, "dns", 53, protocol)
        if case["cluster"] == "us":
            flow(everybody, "node's name cache", 53, protocol)

    # The metadata database, through the pool where there is one.
    number = 3306 if case["database"] == "mysql" else 5432
    database = "postgresql" if "postgresql" in parts else "database"
    if "pgbouncer" in parts:
        flow(airflow, "pgbouncer", 6543)
        flow({"pgbouncer"}, database, number)
    else:
        flow(airflow, database, number)
    if scaled:
        # Past the pool: `usePgbouncer` is off.
        flow({"other keda" if case["cluster"] == "us" else "keda"}, "postgresql", 5432)

    if celery:
        broker = "redis" if "redis" in parts else "broker"
        flow({"scheduler", "worker", "flower"}, broker, 6379)
        flow({server}, "worker", 8793)
    if local:
        flow({server}, "scheduler", 8793)
    flow({server}, "triggerer", 8794)
    if modern:
        flow({"worker"} | ({"scheduler"} if local else set()), server, 8080)
    if case["ingress"] != "none":
        flow(
            {{"gateway": "gateway", "route": "router"}.get(case["ingress"], "ingress")},
            server,
            8080,
        )

    flow(airflow, "statsd", 9125, "UDP")
    for port in (4317, 4318):
        flow(airflow, "otel-collector", port)
    for target, port in (("statsd", 9102), ("pgbouncer", 9127)):
        flow({"prometheus"}, target, port)
    if case["metrics"] == "otel-elsewhere" and "otel-collector" not in parts:
        flow(airflow, "collector", 4317)
    if case["tracing"] == "elsewhere" and "otel-collector" not in parts:
        flow(airflow, "collector", 4318)
    if case["tracing"] == "headers" and "otel-collector" not in parts:
        flow(airflow, "collector", 4317)

    running_tasks = {"worker", "triggerer"} | ({"scheduler"} if local else set())
    callers = {server, "airflow-cleanup-pods"} | ({"scheduler"} if kubernetes else set())
    for port in (443, 6443):
        flow(callers | (running_tasks if launching else set()), "kubernetes", port)
    callbacks = {"dag-processor" if "dag-processor" in parts else "scheduler"}
    flow(running_tasks | callbacks, "what tasks need", 443)
    if launching:
        flow({"launched"}, "what tasks need", 443)

    fetching = {"dag-processor", *running_tasks}
    if case["dags"] == "ssh":
        flow(fetching, "git", 22)
    if case["dags"] in ("token", "bundles"):
        flow(fetching, "git", 443)
    logging = case["logging"]
    if logging not in ("none", "volume"):
        port = 9200 if logging in ("elasticsearch", "opensearch") else 443
        flow({server, *RUNNING}, "logs", port)
    if case["backend"] == "vault":
        flow(airflow, "vault", 8200)
    if case["identity"] == "annotated":
        flow(airflow - {"flower", "create-user-job", "airflow-cleanup-pods"}, "token service", 443)
    if case["auth"] in ("oidc", "ldap"):
        flow({server}, "identity", 443 if case["auth"] == "oidc" else 636)
    return {
        flow
        for flow in found
        if flow.source in everybody | {*VISITORS, "router"} and _is(flow, parts)
    }


def _is(flow, parts):
    return flow.target in parts or flow.target in OUTSIDE


class Scene(NamedTuple):
    """One topology in one mode: its policies, and everybody who could open a connection."""

    case: dict
    policies: list
    inside: dict
    visitors: dict
    outside: dict

    def passes(self, flow):
        source = self.inside.get(flow.source) or self.visitors[flow.source]
        target = self.inside.get(flow.target) or self.outside[flow.target][0]
        return allowed(self.policies, source, target, flow.port, flow.protocol)

    def conceivable(self):
        """Every connection between a pod of the release and anybody else."""
        sources = [*self.inside, *self.visitors]
        for source, target in itertools.product(sources, self.inside):
            if source != target:
                yield from (Flow(source, target, *port) for port in sorted(INSIDE))
        own = [*self.inside, "stranger", "launched"]
        for source, (target, (_, ports)) in itertools.product(own, self.outside.items()):
            yield from (Flow(source, target, *port) for port in sorted(ports))


def scene(choices, mode, charts, renderer):
    case = definitions.completed({**choices, "policy": mode, "source": "repository"}, turn=3)
    files, _ = definitions.generated(definitions.repository(case), charts)
    built = definitions.built(files)
    request = generate.request(built, generate.archive_for(built, charts))
    rendered = renderer.render(request).manifests
    namespace = built.release.environment.namespace
    inside = {pod.component: PodPeer(namespace, pod.labels) for pod in wiring.pods(rendered)}
    visitors = {
        name: PodPeer(home or namespace, labels) for name, (home, labels) in VISITORS.items()
    }
    labels = {"network.openshift.io/policy-group": "ingress"}
    visitors["router"] = PodPeer("openshift-ingress", {"app": "router"}, labels)
    visitors["twin"] = PodPeer("other", inside["scheduler"].labels)
    outside = {
        name: (External(place) if isinstance(place, str) else PodPeer(*place), ports)
        for name, (place, ports) in OUTSIDE.items()
    }
    policies = wiring.of_kind(generate.own_manifests(built), "NetworkPolicy")
    return Scene(case, policies, inside, visitors, outside)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    return definitions.stand_in_charts(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def official(tmp_path_factory, real_chart):
    return definitions.official_charts(tmp_path_factory.mktemp("charts"), real_chart)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, stand_in):
    """Topology and mode → scene on the stand-in chart, each made once."""
    renderer = definitions.cached_renderer(tmp_path_factory.mktemp("cache"))
    return functools.cache(lambda name, mode: scene(TOPOLOGIES[name], mode, stand_in, renderer))


topologies = pytest.mark.parametrize("name", TOPOLOGIES)


@pytest.mark.few(1)
@topologies
def test_enforce_lets_exactly_the_needed_connections_pass(name, scenes):
    _check_enforce(scenes(name, "enforce"))


@pytest.mark.few(1)
@pytest.mark.real_chart
@topologies
def test_enforce_fits_the_pods_of_the_official_chart(name, official, tmp_path):
    renderer = definitions.cached_renderer(tmp_path)
    _check_enforce(scene(TOPOLOGIES[name], "enforce", official, renderer))


def _check_enforce(seen):
    wanted = needed(seen.case, set(seen.inside))
    passing = {flow for flow in seen.conceivable() if seen.passes(flow)}
    assert wanted <= set(seen.conceivable()), "a needed connection is not even tried"
    assert not wanted - passing, "cut off"
    assert not passing - wanted, "left open"


@pytest.mark.few(1)
@topologies
def test_ingress_guards_what_comes_in_and_leaves_what_goes_out(name, scenes):
    seen = scenes(name, "ingress")
    wanted = needed(seen.case, set(seen.inside))
    for flow in seen.conceivable():
        expected = flow.target in seen.outside or flow in wanted
        assert seen.passes(flow) == expected, flow


@pytest.mark.few(1)
@topologies
def test_without_policies_nothing_is_held_back(name, scenes):
    seen = scenes(name, "off")
    assert not seen.policies
    assert all(seen.passes(flow) for flow in seen.conceivable())


@pytest.mark.parametrize(
    "flow",
    [
        Flow("stranger", "pgbouncer", 6543),
        Flow("stranger", "redis", 6379),
        Flow("stranger", "api-server", 8080),
        Flow("stranger", "worker", 8793),
        Flow("twin", "pgbouncer", 6543),
        Flow("twin", "redis", 6379),
        Flow("foreigner", "api-server", 8080),
        Flow("worker", "internet", 443),
        Flow("worker", "instance metadata", 80),
        Flow("worker", "what tasks need", 22),
        Flow("worker", "database", 5432),
        Flow("scheduler", "internet", 443),
        Flow("api-server", "internet", 443),
        Flow("scheduler", "worker", 8793),
        Flow("triggerer", "worker", 8793),
        Flow("dag-processor", "redis", 6379),
        Flow("api-server", "redis", 6379),
        Flow("ingress", "flower", 5555),
        Flow("worker", "flower", 5555),
        Flow("flower", "kubernetes", 443),
        Flow("ingress", "worker", 8793),
        Flow("ingress", "redis", 6379),
        Flow("prometheus", "api-server", 8080),
        Flow("foreigner", "statsd", 9125, "UDP"),
        Flow("prometheus", "statsd", 9125, "UDP"),
        Flow("statsd", "pgbouncer", 6543),
        Flow("redis", "internet", 443),
        Flow("redis", "kubernetes", 443),
        Flow("keda", "pgbouncer", 6543),
        Flow("other keda", "pgbouncer", 6543),
        Flow("launched", "pgbouncer", 6543),
        Flow("launched", "internet", 443),
        Flow("pgbouncer", "database", 22),
        Flow("api-server", "git", 22),
        Flow("api-server", "identity's neighbour", 443),
        Flow("worker", "another name server", 53, "UDP"),
    ],
    ids=lambda flow: f"{flow.source}-{flow.target}-{flow.port}",
)
def test_a_connection_that_must_not_pass(flow, scenes):
    assert not scenes("pooled celery", "enforce").passes(flow)


@pytest.mark.parametrize(
    ("part", "peer", "port"),
    [
        ({"dags": {"gitSync": {"repository": "https://git.example.com:8443/d.git"}}}, "git", 8443),
        ({"dags": {"gitSync": {"repository": "ssh://git@git.example.com:2222/d"}}}, "git", 2222),
        (
            {"auth": {"oidc": {"issuer": "https://id:9443/realm", "clientId": "x"}}},
            "identity",
            9443,
        ),
        (
            {"auth": {"ldap": {"server": "ldap://ldap", "base": "x", "bindUser": "y"}}},
            "identity",
            389,
        ),
        ({"metrics": {"type": "otel", "endpoint": "https://collector"}}, "otel", 4318),
        ({"logging": {"remote": {"type": "elasticsearch"}}}, "logs", 9200),
    ],
)
def test_a_peer_without_ports_is_reached_where_its_address_says(part, peer, port):
    choices = {"executor": "celery", "airflow": "3.2.2", "policy": "enforce", "tracing": "off"}
    case = definitions.completed({**choices, "dags": "image", "auth": "none", "logging": "none"})
    case = {option: choice for option, choice in case.items() if option not in part}
    built = definitions.built(definitions.repository(case, more=part))
    declared = built.release.environment.network_policy.peers[peer][0].cidr
    rules = [
        rule
        for policy in wiring.of_kind(generate.own_manifests(built), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if {"ipBlock": {"cidr": declared}} in rule["to"] or (declared is None and _at(rule, peer))
    ]
    assert rules
    assert {entry["port"] for rule in rules for entry in rule["ports"]} == {port}


def _at(rule, peer):
    return peer == "otel" and any("monitoring" in str(entry) for entry in rule["to"])


def policies_of(more):
    """Policies and problems of `enforce` with these parts of a definition."""
    case = definitions.completed({"executor": "celery", "airflow": "3.2.2", "backend": "none"})
    case = {option: choice for option, choice in case.items() if option not in (*more, "policy")}
    built = definitions.built(definitions.repository(case, more=more))
    return network_policies.policies(built.release)


SMTP = {"smtp": {"smtp_host": "mail.example.com"}}
PEERS = [
    ({"airflow": {"version": "3.2.2", "config": SMTP}}, "mail", 25),
    (
        {"airflow": {"version": "3.2.2", "config": {"smtp": {**SMTP["smtp"], "smtp_port": "587"}}}},
        "mail",
        587,
    ),
    (
        {"airflow": {"version": "3.2.2", "env": {"AIRFLOW__SMTP__SMTP_HOST": "mail.example.com"}}},
        "mail",
        25,
    ),
    (
        {
            "airflow": {
                "version": "3.2.2",
                "config": {
                    "email": {"email_backend": "airflow.providers.amazon.aws.utils.emailer"}
                },
            }
        },
        "mail",
        443,
    ),
    (
        {
            "dags": {
                "bundles": [{"name": "x", "type": "custom", "classpath": "example.S3DagBundle"}]
            }
        },
        "bundles",
        443,
    ),
    (
        {"airflow": {"version": "3.2.2", "env": {"AIRFLOW__SECRETS__BACKEND": "example.Backend"}}},
        "secretsBackend",
        443,
    ),
    (
        {"airflow": {"version": "3.2.2", "config": {"workers": {"secrets_backend": "example.X"}}}},
        "secretsBackend",
        443,
    ),
]


@pytest.mark.parametrize(("part", "peer", "port"), PEERS)
def test_a_peer_that_is_needed_must_be_declared_and_is_open_once_it_is(part, peer, port):
    _, problems = policies_of({**part, "networkPolicy": {"mode": "enforce"}})
    assert f"networkPolicy.peers.{peer} is not set" in "\n".join(it.message for it in problems)
    declared = {"mode": "enforce", "peers": {peer: [{"cidr": "10.99.0.0/24"}]}}
    found, problems = policies_of({**part, "networkPolicy": declared})
    assert not [it for it in problems if f"peers.{peer} " in it.message]
    open_ = External("10.99.0.5")
    worker = PodPeer(found[0]["metadata"]["namespace"], _labels(found, "worker"))
    assert allowed(found, worker, open_, port)
    assert not allowed(found, worker, open_, port + 1)


def _labels(policies, component):
    selectors = (item["spec"]["podSelector"].get("matchLabels", {}) for item in policies)
    return next(labels for labels in selectors if labels.get("component") == component)


@pytest.mark.parametrize(
    "part",
    [
        {"airflow": {"version": "3.2.2", "config": {"smtp": {"smtp_host": "localhost"}}}},
        {"dags": {"bundles": [{"name": "x", "type": "local", "path": "/dags"}]}},
        {"secretsBackend": {"backend": "airflow.secrets.local_filesystem.LocalFilesystemBackend"}},
    ],
)
def test_what_stays_in_the_pod_needs_no_peer(part):
    _, problems = policies_of({**part, "networkPolicy": {"mode": "enforce"}})
    named = "\n".join(it.message for it in problems)
    assert not any(f"peers.{peer} " in named for peer in ("mail", "bundles", "secretsBackend"))


def enforced(values, **more):
    """Policies and problems with these Helm values."""
    return policies_of({"values": values, "networkPolicy": {"mode": "enforce"}, **more})


ROWS = {
    "mail": [{"name": "AIRFLOW__SMTP__SMTP_HOST", "value": "mail.example.com"}],
    "secretsBackend": [{"name": "AIRFLOW__SECRETS__BACKEND", "value": "example.Backend"}],
    "logs": [{"name": "AIRFLOW__LOGGING__REMOTE_LOGGING", "value": "true"}],
    "bundles": [
        {
            "name": "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST",
            "value": '[{"name": "x", "classpath": "example.S3DagBundle"}]',
        }
    ],
}


@pytest.mark.parametrize("peer", ["mail", "secretsBackend", "bundles"])
@pytest.mark.parametrize("key", ["dagProcessor", "workers", "workers.celery"])
def test_an_option_of_one_component_names_a_peer_of_that_component(peer, key):
    values = functools.reduce(
        lambda inner, name: {name: inner}, key.split(".")[::-1], {"env": ROWS[peer]}
    )
    _, problems = enforced(values)
    assert f"networkPolicy.peers.{peer} is not set" in "\n".join(it.message for it in problems)
    declared = {"mode": "enforce", "peers": {peer: [{"cidr": "10.99.0.0/24", "ports": [999]}]}}
    found, _ = enforced(values, networkPolicy=declared)
    outside, namespace = External("10.99.0.5"), found[0]["metadata"]["namespace"]
    opened = {
        component
        for component in ("scheduler", "dag-processor", "worker")
        if allowed(found, PodPeer(namespace, _labels(found, component)), outside, 999)
    }
    assert opened == {"dag-processor" if key == "dagProcessor" else "worker"}


@pytest.mark.parametrize("peer", ROWS)
@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("scheduler", "scheduler"),
        ("dagProcessor", "dag-processor"),
        ("triggerer", "triggerer"),
        ("workers", "worker"),
        ("workers.celery", "worker"),
    ],
)
def test_a_flow_is_that_of_the_component_whose_option_names_the_peer(peer, key, part):
    values = functools.reduce(
        lambda inner, name: {name: inner}, key.split(".")[::-1], {"env": ROWS[peer]}
    )
    top = topology.read(
        {"airflowVersion": "3.2.2", "executor": "CeleryExecutor", **values}, "a", "a"
    )
    sources = {flow.source for flow in topology.flows(top) if flow.destination == f"peer:{peer}"}
    runs_code = part != "scheduler" or peer in ("logs", "secretsBackend")
    assert sources == ({part} if runs_code else set())


HIDDEN = {"valueFrom": {"secretKeyRef": {"name": "options", "key": "host"}}}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"dagProcessor": {"env": [{"name": "AIRFLOW__SMTP__SMTP_HOST", **HIDDEN}]}},
            "AIRFLOW__SMTP__SMTP_HOST of dagProcessor.env",
        ),
        (
            {"extraEnv": "- name: AIRFLOW__SMTP__SMTP_HOST\n  value: x"},
            "AIRFLOW__SMTP__SMTP_HOST of extraEnv",
        ),
    ],
)
def test_an_option_out_of_sight_is_named_as_not_read_and_opens_what_is_declared(values, words):
    _, problems = enforced(values)
    (item,) = [it for it in problems if it.rule == "network/peer-not-read"]
    assert item.severity == "warning" and (
        f"whether Airflow needs mail is not known (not read: {words})" in item.message
    )
    declared = {"mode": "enforce", "peers": {"mail": [{"cidr": "10.99.0.0/24"}]}}
    found, problems = enforced(values, networkPolicy=declared)
    assert not [it for it in problems if it.rule == "network/peer-not-read"]
    processor = PodPeer(found[0]["metadata"]["namespace"], _labels(found, "dag-processor"))
    assert allowed(found, processor, External("10.99.0.5"), 25)


def test_the_declared_keys_of_a_secret_of_variables_say_what_it_may_name():
    def named(key):
        extra = {"options": {"keys": [key], "envFrom": True}}
        _, problems = enforced({}, secrets={"extra": extra})
        return [it.message for it in problems if it.rule == "network/peer-not-read"]

    assert named("TEAM_TOKEN") == []
    (message,) = named("AIRFLOW__SMTP__SMTP_HOST")
    assert "needs mail is not known (not read: variables of Secret options)" in message
