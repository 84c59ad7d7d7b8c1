"""NetworkPolicies judged a second time, by the matcher of cyclonus: the same verdict every time."""

import itertools
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import definitions, effort, wiring
from tests.cluster import programs, samples
from tests.cluster.conftest import require
from tests.generator.manifests.test_network_policies import INSIDE, OUTSIDE, TOPOLOGIES, scene
from tests.network_evaluator import External, PodPeer, allowed

pytestmark = pytest.mark.nightly

NAMES = {(8080, "TCP"): "http", (53, "UDP"): "dns"}
"""Every pod calls these ports so."""
POD_ADDRESS = "192.0.2.1"
"""Of every pod; blocks of addresses that hold it are drawn as well."""


@pytest.fixture(scope="module")
def judge():
    """Asks cyclonus: policies, and connections as (source, target, port, protocol)."""
    require("cyclonus")

    def ask(policies, connections):
        question = {
            "Policies": policies,
            "Connections": [_traffic(*connection) for connection in connections],
        }
        done = subprocess.run(
            [programs.find("cyclonus")],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return json.loads(done.stdout)

    return ask


def _traffic(source, target, port, protocol):
    # Outside of the cluster nobody names a port.
    name = "" if isinstance(target, External) else NAMES.get((port, protocol), "")
    return {
        "Source": _end(source),
        "Destination": _end(target),
        "ResolvedPort": port,
        "ResolvedPortName": name,
        "Protocol": protocol,
    }


def _end(peer):
    if isinstance(peer, External):
        return {"IP": peer.address}
    return {
        "IP": peer.address,
        "Internal": {
            "Namespace": peer.namespace,
            "NamespaceLabels": dict(peer.all_namespace_labels),
            "PodLabels": dict(peer.labels),
        },
    }


def pod(namespace, labels, **more):
    ports = {name: (protocol, port) for (port, protocol), name in NAMES.items()}
    return PodPeer(namespace, labels, ports=ports, address=POD_ADDRESS, **more)


def agree(judge, policies, connections):
    """Both verdicts of every connection; fails on the first that differs."""
    connections = list(connections)
    here = [allowed(policies, *connection) for connection in connections]
    there = judge(policies, connections)
    assert len(there) == len(connections)
    different = [
        item for item, one, two in zip(connections, here, there, strict=True) if one != two
    ]
    assert not different, different[:3]
    return here


@pytest.mark.parametrize("name", samples.NAMES)
def test_both_judge_the_sample_environments_alike(judge, name, own_chart, tmp_path):
    namespace, manifests = samples.rendered(own_chart, tmp_path)[name]
    policies = wiring.of_kind(manifests, "NetworkPolicy")
    placed = [samples.placed(item, namespace) for item in policies]
    inside = [pod(namespace, item.labels) for item in wiring.pods(manifests)]
    verdicts = agree(judge, placed, _conceivable(namespace, inside))
    assert any(verdicts)
    assert all(verdicts) == (not policies)


def _conceivable(namespace, inside):
    outside = [
        External(place) if isinstance(place, str) else pod(*place) for place, _ in OUTSIDE.values()
    ]
    strangers = [pod(namespace, {"app": "stranger"}), pod("keda", {"app": "keda-operator"})]
    ports = sorted(INSIDE)
    for source, target in itertools.product([*inside, *strangers], [*inside, *outside]):
        yield from ((source, target, *port) for port in ports)
    for source, target in itertools.product(outside, inside):
        yield from ((source, target, *port) for port in ports)


@pytest.mark.parametrize("mode", ["enforce", "ingress"])
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_both_judge_every_topology_alike(judge, name, mode, tmp_path):
    charts = definitions.stand_in_charts(tmp_path)
    found = scene(TOPOLOGIES[name], mode, charts, definitions.cached_renderer(tmp_path / "cache"))
    inside = [pod(item.namespace, item.labels) for item in found.inside.values()]
    verdicts = agree(judge, found.policies, _conceivable(inside[0].namespace, inside))
    assert len(set(verdicts)) == 2


_LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)


def _expressions(key, operator, values):
    """With `NotIn`, the key must exist: the judge has no match without it, Kubernetes has one.

    apimachinery/pkg/labels, Requirement.Matches; cyclonus/pkg/kube/labelselector.go. Our own answer
    is held in tests/generator/kube/test_selectors.py.
    """
    own = {"key": key, "operator": operator, "values": values}
    return [own] if operator == "In" else [own, {"key": key, "operator": "Exists"}]


_EXPRESSIONS = st.lists(
    st.one_of(
        st.builds(
            _expressions,
            st.sampled_from("ab"),
            st.sampled_from(("In", "NotIn")),
            st.lists(st.sampled_from("xy"), min_size=1, unique=True),
        ),
        st.builds(
            lambda key, operator: [{"key": key, "operator": operator}],
            st.sampled_from("ab"),
            st.sampled_from(("Exists", "DoesNotExist")),
        ),
    ),
    max_size=2,
).map(lambda drawn: [*itertools.chain.from_iterable(drawn)])


_SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": _LABELS, "matchExpressions": _EXPRESSIONS}
)
_BLOCKS = st.sampled_from(
    (
        {"cidr": "0.0.0.0/0"},
        {"cidr": "192.0.2.0/24"},
        {"cidr": "0.0.0.0/0", "except": ["192.0.2.0/24"]},
        {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]},
        {"cidr": "10.1.2.3/32"},
    )
)
_PEERS = st.one_of(
    st.fixed_dictionaries({"ipBlock": _BLOCKS}),
    st.fixed_dictionaries({"podSelector": _SELECTORS}),
    st.fixed_dictionaries({"namespaceSelector": _SELECTORS}),
    st.fixed_dictionaries({"podSelector": _SELECTORS, "namespaceSelector": _SELECTORS}),
)
_PORTS = st.sampled_from(
    (
        {"port": 8080},
        {"port": 8080, "protocol": "UDP"},
        {"port": "http", "protocol": "TCP"},
        {"port": "dns", "protocol": "UDP"},
        {"port": 50, "endPort": 60, "protocol": "UDP"},
        {"protocol": "UDP"},
    )
)


def _rules(side):
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                side: st.lists(_PEERS, max_size=2),
                "ports": st.lists(_PORTS, max_size=2),
            },
        ),
        max_size=2,
    )


_POLICIES = st.fixed_dictionaries(
    {
        "podSelector": _SELECTORS,
        "policyTypes": st.lists(
            st.sampled_from(("Ingress", "Egress")), min_size=1, max_size=2, unique=True
        ),
    },
    optional={"ingress": _rules("from"), "egress": _rules("to")},
)
_ENDS = (
    *(pod(home, labels) for home in "mn" for labels in ({}, {"a": "x"}, {"a": "y", "b": "x"})),
    pod("o", {"a": "x"}, namespace_labels={"a": "x", "b": "y"}),
    *(External(address) for address in ("10.1.2.3", "10.3.0.1", "198.51.100.7")),
)


@effort.examples(20)
@given(st.lists(st.tuples(st.sampled_from("mn"), _POLICIES), min_size=1, max_size=4))
def test_both_judge_policies_at_random_alike(judge, drawn):
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{number}", "namespace": home},
            "spec": spec,
        }
        for number, (home, spec) in enumerate(drawn)
    ]
    ports = (*NAMES, (8080, "UDP"), (55, "UDP"), (443, "TCP"))
    ends = itertools.product(_ENDS, _ENDS)
    agree(
        judge,
        policies,
        [(source, target, *port) for source, target in ends for port in ports if source != target],
    )
