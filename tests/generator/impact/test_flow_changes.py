"""Which flows a change opens or closes, as the table of a report has them."""

import time

import pytest

from generator.impact.context import View
from generator.impact.flow_changes import flow_changes
from tests.generator.impact.builders import manifest, policy, side, workload

API = workload("api", container_ports=[{"name": "http", "containerPort": 8080}])
WORKER = workload("worker")
PODS = [API, WORKER]


def component(name):
    return {"podSelector": {"matchLabels": {"component": name}}}


def egress(*entries):
    rules = [{"to": list(peers), "ports": [{"port": port}]} for peers, port in entries]
    return policy("worker", egress=rules, name="sends")


def compared(base, head):
    return flow_changes(View(side(base)), View(side(head)))


def ingress(*entries):
    rules = [{"from": peers, "ports": [port]} for peers, port in entries]
    return policy("api", rules, name="takes")


def words(base, head):
    return [str(item) for item in compared(base, head).changes]


DATABASE = ([{"ipBlock": {"cidr": "10.0.0.0/8"}}], 5432)
MAIL = ([{"ipBlock": {"cidr": "10.9.0.0/16"}}], 25)


def test_an_address_that_is_opened_and_one_that_is_closed():
    assert words([*PODS, egress(DATABASE)], [*PODS, egress(MAIL)]) == [
        "worker may no longer reach 10.0.0.0/8 (5432/TCP)",
        "worker may reach 10.9.0.0/16 on 25/TCP, before on 5432/TCP",
    ]


def test_another_port_is_one_change_with_both():
    other = (DATABASE[0], 6432)
    assert words([*PODS, egress(DATABASE)], [*PODS, egress(other)]) == [
        "worker may reach 10.0.0.0/8 on 6432/TCP, before on 5432/TCP"
    ]


def test_what_was_open_before_a_first_policy_is_not_called_new():
    assert words(PODS, [*PODS, egress(DATABASE)]) == [
        "worker may reach 10.0.0.0/8 on 5432/TCP, before on every port",
        "worker may no longer reach anyone (every port)",
    ]


def test_a_smaller_network_opens_nothing_and_what_is_left_of_the_larger_is_named():
    smaller = ([{"ipBlock": {"cidr": "10.0.0.0/9"}}], 5432)
    there = words([*PODS, egress(DATABASE)], [*PODS, egress(smaller)])
    assert there == ["worker may no longer reach 10.0.0.0/8 (5432/TCP), except 10.0.0.0/9"]
    back = words([*PODS, egress(smaller)], [*PODS, egress(DATABASE)])
    assert back == ["worker may now reach 10.0.0.0/8 on 5432/TCP"]


def test_without_its_policies_everything_is_open_in_one_line_each_way():
    both = [policy("worker", []), policy("api", [], name="other"), egress(DATABASE)]
    assert words([*PODS, *both], PODS) == [
        "anyone may now reach api, worker on every port",
        "worker may now reach anyone on every port",
    ]


def test_a_flow_that_only_one_end_permits_is_none():
    closed = policy("api", [])
    to_api = egress(([component("api")], 8080))
    assert words([*PODS, closed, egress()], [*PODS, closed, to_api]) == []


def test_a_pod_that_may_no_longer_send_to_what_takes_anyone_is_told():
    takes = policy("api", [{"ports": [{"port": 8080}]}], name="takes")
    to_api = egress(([component("api")], 8080))
    base, head = [*PODS, takes, to_api], [*PODS, takes, egress()]
    assert words(base, head) == ["worker may no longer reach api (8080/TCP)"]
    assert words(head, base) == ["worker may now reach api on 8080/TCP"]


SPACE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
SOME = {"podSelector": {"matchLabels": {"app": "prometheus"}}, **SPACE}
EVERYWHERE = {**SOME, "namespaceSelector": {}}


def block(cidr, *left_out):
    return {"ipBlock": {"cidr": cidr, **({"except": list(left_out)} if left_out else {})}}


@pytest.mark.parametrize(
    ("wide", "narrow", "wide_words", "narrow_words"),
    [
        ([], [block("10.0.0.0/8")], "anyone", "10.0.0.0/8"),
        ([], [SOME], "anyone", "pods with app=prometheus in namespace monitoring"),
        ([block("10.0.0.0/8")], [block("10.0.0.0/8", "10.1.0.0/16")],
         "10.0.0.0/8", "10.0.0.0/8 except 10.1.0.0/16"),
        ([block("10.0.0.0/8", "10.1.0.0/16")], [block("10.2.0.0/16")],
         "10.0.0.0/8 except 10.1.0.0/16", "10.2.0.0/16"),
        ([block("10.0.0.5/8")], [block("10.2.0.0/16")], "10.0.0.5/8", "10.2.0.0/16"),
        ([block("::/0")], [block("fd00::/8")], "::/0", "fd00::/8"),
        ([SPACE], [SOME], "every pod in namespace monitoring",
         "pods with app=prometheus in namespace monitoring"),
        ([EVERYWHERE], [SOME], "pods with app=prometheus in every namespace",
         "pods with app=prometheus in namespace monitoring"),
    ],
)  # fmt: skip
def test_what_was_open_within_something_wider_is_not_called_new(
    wide, narrow, wide_words, narrow_words
):
    base, head = ([*PODS, ingress((peers, {"port": 80}))] for peers in (wide, narrow))
    assert words(base, head) == [
        f"{wide_words} may no longer reach api (80/TCP), except {narrow_words}"
    ]
    assert words(head, base) == [f"{wide_words} may now reach api on 80/TCP"]
    both = [*PODS, ingress((wide, {"port": 80}), (narrow, {"port": 80}))]
    assert words(base, both) == []


def test_what_an_except_leaves_out_is_new_when_it_is_opened():
    base = ingress(([block("10.0.0.0/8", "10.1.0.0/16")], {"port": 80}))
    head = ingress(([block("10.1.2.0/24")], {"port": 80}))
    assert "10.1.2.0/24 may now reach api on 80/TCP" in words([*PODS, base], [*PODS, head])


def test_a_port_that_a_range_had_already_is_no_change():
    ports = {"port": 8000, "endPort": 9000}
    base, head = ingress(([], ports)), ingress(([], ports), ([], {"port": 8080}))
    assert words([*PODS, base], [*PODS, head]) == []


def test_a_port_beside_those_of_a_wider_network_closes_none_of_them():
    assert words([*PODS, egress(DATABASE)], [*PODS, egress(DATABASE, MAIL)]) == [
        "worker may reach 10.9.0.0/16 on 25/TCP, 5432/TCP, before on 5432/TCP"
    ]


def test_a_pod_that_anyone_had_in_it_is_not_called_new():
    sends = policy("worker", egress=[{}], name="sends")
    base, head = ingress(([], {"port": 80})), ingress(([component("worker")], {"port": 80}))
    assert words([*PODS, sends, base], [*PODS, sends, head]) == [
        "anyone may no longer reach api (80/TCP), except worker"
    ]


def test_policies_of_another_namespace_are_named_as_not_read_when_they_change():
    other = policy("api", [], name="other")
    other["metadata"]["namespace"] = "monitoring"
    assert compared(PODS, [*PODS, other]).not_read == (
        "NetworkPolicies of other namespaces, which change",
    )
    assert compared([*PODS, other], [*PODS, other]).not_read == ()


def test_a_secret_in_a_selector_reaches_no_form_of_the_report():
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    peer = {"podSelector": {"matchLabels": {"app": token}}}
    found = compared([*PODS, egress()], [*PODS, egress(([peer], 80))])
    assert found.changes and token not in str(found.as_json())


def test_a_thousand_addresses_on_each_side_take_no_time():
    def addresses(part):
        blocks = [block(f"10.{part}.{item // 256}.{item % 256}/32") for item in range(990)]
        return [*PODS, egress((blocks, 443))]

    started = time.process_time()
    assert len(words(addresses(1), addresses(2))) == 2
    assert time.process_time() - started < 5


def test_without_policies_nothing_is_said():
    assert compared(PODS, [API]).changes == ()


def test_the_same_policies_in_another_order_change_nothing():
    both = [policy("api", [{"from": [component("worker")]}]), egress(DATABASE)]
    assert words([*PODS, *both], [*reversed(both), *PODS]) == []


def test_policies_that_are_not_kubernetes_own_are_named_as_not_read():
    foreign = manifest("cilium.io/v2", "CiliumNetworkPolicy", "extra", spec={})
    assert compared(PODS, [*PODS, foreign]).not_read == (
        "what CiliumNetworkPolicy permits or denies",
    )


@pytest.mark.parametrize("count", [3, 3_000, 130_000])
def test_policies_that_nobody_could_read_are_not_compared_and_that_is_said(count):
    peers = [
        {"ipBlock": {"cidr": f"10.1.{number // 256}.{number % 256}/32"}} for number in range(count)
    ]
    found = compared([*PODS, egress(DATABASE)], [*PODS, egress((peers, 25))])
    assert bool(found.changes) == (count == 3)
    assert bool(found.not_read) == (count != 3)
