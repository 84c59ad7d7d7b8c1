"""Who may talk to whom: what two policies together let through, and what no policy isolates."""

import random

import pytest

from generator.actions import flows
from generator.impact.flow_table import flow_table
from generator.kube import network_policy
from tests import network_evaluator
from tests.repositories import DEV, PRODUCTION, SETTINGS, built

PODS = {name: {"component": name} for name in ("web", "db", "job")}


def policy(component, *types, **rules):
    spec = {"podSelector": {"matchLabels": {"component": component}}, "policyTypes": list(types)}
    if not component:
        spec["podSelector"] = {}
    metadata = {"name": f"p-{component}", "namespace": "airflow"}
    return network_policy.read(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {**spec, **rules},
        }
    )


def to(component):
    return {"podSelector": {"matchLabels": {"component": component}}}


def port(number, protocol="TCP", **more):
    return {"port": number, "protocol": protocol, **more}


def rows(*policies, labels=None):
    table = flow_table(policies, PODS, "airflow", {("web", "db"): ["rows"]}, labels)
    return {(row.sources, row.target): (row.ports, row.why) for row in table.rows}, table.open


def test_a_flow_is_open_where_both_ends_let_it_through():
    ingress = [{"from": [to("web"), to("job")], "ports": [port(5432), port(9000, endPort=9009)]}]
    egress = [{"to": [to("db")], "ports": [port(9005, endPort=9100)]}]
    found, unbound = rows(
        policy("db", "Ingress", ingress=ingress), policy("job", "Egress", egress=egress)
    )
    assert found == {
        (("web",), "db"): (("5432/TCP", "9000-9009/TCP"), ("rows",)),
        (("job",), "db"): (("9005-9009/TCP",), ()),
    }
    assert unbound == {"Ingress": ("web", "job"), "Egress": ("web", "db")}


def test_what_the_receiver_takes_and_the_sender_may_not_send_is_no_flow():
    ingress = [{"from": [to("web")], "ports": [port(5432)]}]
    closed = policy("web", "Egress", egress=[{"to": [to("db")], "ports": [port(5432, "UDP")]}])
    assert rows(policy("db", "Ingress", ingress=ingress), closed)[0] == {}


@pytest.mark.parametrize(
    ("entry", "source", "ports"),
    [
        ({}, "anyone", ("every port",)),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
         "10.0.0.0/8 except 10.1.0.0/16", ("every port",)),
        ({"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
          "ports": [{"protocol": "UDP"}]},
         "every pod in namespaces with a=b", ("every port of UDP",)),
    ],
)  # fmt: skip
def test_peers_outside_are_in_words(entry, source, ports):
    found, _ = rows(policy("db", "Ingress", ingress=[entry]))
    assert found == {((source,), "db"): (ports, ())}


def test_the_table_of_an_environment_says_why():
    found = flows.flows(built(PRODUCTION))
    by_end = {row.target: row for row in found.table.rows}
    assert by_end["redis"].sources == ("scheduler", "worker")
    assert by_end["redis"].why == ("Celery broker",)
    assert by_end["pods with k8s-app=kube-dns in namespace kube-system"].why == ("host names",)
    assert all(row.why for row in found.table.rows), found.table.rows
    assert found.table.open == {"Ingress": (), "Egress": ()}


def test_where_nothing_is_isolated_the_table_says_so_and_what_was_not_read():
    found = flows.flows(built(DEV))
    assert found.table.rows == ()
    words = list(found.notes())
    assert "no policy isolates these, so they send to anyone: all" in words
    assert any("in the cluster" in word for word in words)


def test_a_policy_of_the_teams_own_counts():
    own = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: more}\n"
        "spec:\n  podSelector: {matchLabels: {component: redis}}\n"
        "  ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 6379}]}]\n"
    )
    settings = SETTINGS + (
        "policy: {tiers: {production: {manifests: [NetworkPolicy.networking.k8s.io]}}}\n"
    )
    folder = "environments/production"
    found = flows.flows(
        built(
            PRODUCTION + "manifests: [more.yaml]\n",
            settings=settings,
            more={f"{folder}/manifests/more.yaml": own},
        )
    )
    assert any(row.sources == ("192.0.2.0/24",) for row in found.table.rows)


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        ({"namespaceSelector": {}}, "every pod in every namespace"),
        ({"podSelector": {}}, "every pod of the namespace"),
        ({"namespaceSelector": {"matchLabels": {"a": "b"}}}, "every pod in namespaces with a=b"),
    ],
)
def test_a_peer_that_is_more_than_the_known_pods_is_shown_beside_them(peer, words):
    guarded = policy("job", "Ingress", ingress=[{"from": [peer], "ports": [port(1)]}])
    found, _ = rows(guarded, labels={"a": "b"})
    assert found == {(("every component", words), "job"): (("1/TCP",), ())}


@pytest.mark.parametrize(
    ("receiver", "sender", "words"),
    [
        (port("http"), port(5432), "http/TCP where it is 5432"),
        (port(5432), port("http"), "http/TCP where it is 5432"),
        (port("http"), {"protocol": "TCP"}, "http/TCP"),
    ],
)
def test_a_port_by_name_is_open_only_where_the_other_side_has_its_number(receiver, sender, words):
    ingress = [{"from": [to("web")], "ports": [receiver]}]
    egress = [{"to": [to("db")], "ports": [sender]}]
    both = policy("db", "Ingress", ingress=ingress), policy("web", "Egress", egress=egress)
    assert rows(*both)[0][("web",), "db"][0] == (words,)


def manifest_of(component, side, peers, numbers):
    key = {"Ingress": "from", "Egress": "to"}[side]
    rule = {key: peers, "ports": [port(number) for number in numbers]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{component}-{side}", "namespace": "airflow"},
        "spec": {
            "podSelector": {"matchLabels": {"component": component}},
            "policyTypes": [side],
            side.lower(): [rule],
        },
    }


@pytest.mark.parametrize("seed", range(30))
def test_the_table_says_what_the_judge_of_policies_says(seed):
    draw = random.Random(seed)
    peers = [*map(to, PODS), {"namespaceSelector": {}}, {"podSelector": {}}]
    manifests = [
        manifest_of(name, side, draw.sample(peers, 2), draw.sample([1, 2, 3], 2))
        for name in PODS
        for side in ("Ingress", "Egress")
        if draw.random() < 0.7
    ]
    table = flow_table([network_policy.read(item) for item in manifests], PODS, "airflow", {})
    pods = {name: network_evaluator.PodPeer("airflow", labels) for name, labels in PODS.items()}
    for source in PODS:
        for target in PODS:
            for number in (1, 2, 3):
                shown = source in table.open["Egress"] and target in table.open["Ingress"]
                shown = shown or any(
                    row.target == target
                    and (source in row.sources or "every component" in row.sources)
                    and {f"{number}/TCP", "every port"} & set(row.ports)
                    for row in table.rows
                )
                wanted = network_evaluator.allowed(manifests, pods[source], pods[target], number)
                assert bool(shown) == wanted, (source, target, number)


def test_policies_that_are_not_read_are_named():
    own = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: more}\nspec: {}\n"
    settings = (
        SETTINGS + "policy: {tiers: {development: {manifests: [CiliumNetworkPolicy.cilium.io]}}}\n"
    )
    more = {"environments/dev/manifests/more.yaml": own}
    found = flows.flows(built(DEV + "manifests: [more.yaml]\n", settings=settings, more=more))
    assert "not read: CiliumNetworkPolicy among the manifests of its own" in list(found.notes())
