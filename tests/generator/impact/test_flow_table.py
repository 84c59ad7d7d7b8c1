"""Who may talk to whom: what two policies together let through, and what no policy isolates."""

import pytest

from generator.actions import flows
from generator.impact.flow_table import flow_table
from generator.kube import network_policy
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


def rows(*policies):
    table = flow_table(policies, PODS, "airflow", {("web", "db"): ["rows"]})
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
