"""Which flows a change opens or closes, as the table of a report has them."""

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
    assert there == ["worker may no longer reach 10.0.0.0/8 (5432/TCP), but for 10.0.0.0/9"]
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
