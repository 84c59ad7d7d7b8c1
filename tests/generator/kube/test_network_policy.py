import pytest

from generator.kube.network_policy import read
from tests.network_evaluator import External, PodPeer, allowed, selects

NAMESPACE = "airflow"


def pod(component, namespace=NAMESPACE, **more):
    return PodPeer(namespace, {"tier": "airflow", "component": component}, **more)


def policy(selector=None, namespace=NAMESPACE, **spec):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {"podSelector": selector or {}, **spec},
    }


def labels(**wanted):
    return {"matchLabels": wanted}


API = pod("api-server", ports={"http": ("TCP", 8080)})
WORKER = pod("worker")
DENY = policy(policyTypes=["Ingress", "Egress"])


def test_without_policies_everything_is_allowed():
    assert allowed([], WORKER, API, 8080)


def test_default_deny_closes_both_directions():
    assert not allowed([DENY], WORKER, API, 8080)
    assert not allowed([DENY], WORKER, External("10.0.0.1"), 443)
    assert not allowed([DENY], External("10.0.0.1"), API, 8080)


def test_both_ends_must_allow():
    egress = policy(labels(component="worker"), policyTypes=["Egress"], egress=[{}])
    ingress = policy(labels(component="api-server"), ingress=[{}])
    assert not allowed([DENY, egress], WORKER, API, 8080)
    assert not allowed([DENY, ingress], WORKER, API, 8080)
    assert allowed([DENY, egress, ingress], WORKER, API, 8080)


def test_an_empty_rule_list_allows_nothing_and_an_empty_rule_everything():
    assert not allowed([policy(ingress=[])], WORKER, API, 8080)
    assert allowed([policy(ingress=[{}])], WORKER, API, 8080)


def test_ports_protocols_and_ranges():
    rules = [
        {
            "ports": [
                {"port": 8080},
                {"port": 9000, "endPort": 9010},
                {"port": 53, "protocol": "UDP"},
            ]
        }
    ]
    policies = [policy(ingress=rules)]
    assert allowed(policies, WORKER, API, 8080)
    assert allowed(policies, WORKER, API, 9010)
    assert allowed(policies, WORKER, API, 53, "UDP")
    assert not allowed(policies, WORKER, API, 9011)
    assert not allowed(policies, WORKER, API, 8080, "UDP")
    assert not allowed(policies, WORKER, API, 53)


def test_a_port_by_name_is_the_receivers():
    policies = [policy(ingress=[{"ports": [{"port": "http"}]}])]
    assert allowed(policies, WORKER, API, 8080)
    assert not allowed(policies, WORKER, API, 8081)
    assert not allowed(policies, API, WORKER, 8080)


def test_a_protocol_without_port_means_all_its_ports():
    policies = [policy(ingress=[{"ports": [{"protocol": "UDP"}]}])]
    assert allowed(policies, WORKER, API, 8125, "UDP")
    assert not allowed(policies, WORKER, API, 8125)


def test_a_pod_selector_alone_means_the_policys_own_namespace():
    policies = [policy(ingress=[{"from": [{"podSelector": labels(component="worker")}]}])]
    assert allowed(policies, WORKER, API, 8080)
    assert not allowed(policies, pod("worker", "other"), API, 8080)
    assert not allowed(policies, pod("scheduler"), API, 8080)


def test_a_namespace_selector_matches_the_name_label_that_every_namespace_has():
    peer = {"namespaceSelector": labels(**{"kubernetes.io/metadata.name": "ingress"})}
    policies = [policy(ingress=[{"from": [peer]}])]
    assert allowed(policies, pod("nginx", "ingress"), API, 8080)
    assert not allowed(policies, WORKER, API, 8080)


def test_pod_and_namespace_selector_in_one_peer_must_both_match():
    peer = {
        "namespaceSelector": labels(team="a"),
        "podSelector": labels(component="prometheus"),
    }
    policies = [policy(ingress=[{"from": [peer]}])]
    near = {"namespace_labels": {"team": "a"}}
    assert allowed(policies, pod("prometheus", "mon", **near), API, 8080)
    assert not allowed(policies, pod("grafana", "mon", **near), API, 8080)
    assert not allowed(policies, pod("prometheus", "mon"), API, 8080)


def test_address_ranges_with_exceptions():
    block = {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}
    policies = [policy(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])]
    assert allowed(policies, WORKER, External("10.2.0.1"), 443)
    assert not allowed(policies, WORKER, External("10.1.0.1"), 443)
    assert not allowed(policies, WORKER, External("192.0.2.1"), 443)


def test_ipv6_ranges():
    block = {"cidr": "2001:db8::/32"}
    policies = [policy(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])]
    assert allowed(policies, WORKER, External("2001:db8::1"), 443)
    assert not allowed(policies, WORKER, External("10.0.0.1"), 443)


def test_a_selector_never_matches_an_address():
    policies = [policy(ingress=[{"from": [{"podSelector": {}}]}])]
    assert not allowed(policies, External("10.0.0.1"), API, 8080)


def test_a_pod_of_unknown_address_is_in_no_range():
    block = {"cidr": "0.0.0.0/0"}
    policies = [policy(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])]
    assert not allowed(policies, WORKER, API, 8080)
    assert allowed(policies, WORKER, pod("api-server", address="10.0.0.9"), 8080)


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ({"key": "component", "operator": "In", "values": ["worker", "x"]}, True),
        ({"key": "component", "operator": "NotIn", "values": ["worker"]}, False),
        ({"key": "missing", "operator": "NotIn", "values": ["worker"]}, True),
        ({"key": "component", "operator": "Exists"}, True),
        ({"key": "component", "operator": "DoesNotExist"}, False),
        ({"key": "component", "operator": "Near"}, False),
    ],
)
def test_match_expressions(expression, selected):
    assert selects(policy({"matchExpressions": [expression]}), WORKER) is selected


def test_policies_of_other_namespaces_say_nothing():
    assert allowed(
        [policy(namespace="other", policyTypes=["Ingress", "Egress"])], WORKER, API, 8080
    )


def test_without_policy_types_egress_counts_where_it_has_rules():
    rules = [{"ports": [{"port": 443}]}]
    assert not allowed([policy(egress=rules)], WORKER, External("10.0.0.1"), 80)
    assert allowed([policy(egress=[])], WORKER, External("10.0.0.1"), 80)
    assert not allowed([policy()], WORKER, API, 8080)
    assert allowed([policy()], API, External("10.0.0.1"), 443)


def test_an_object_of_another_kind_is_no_policy():
    assert read({"apiVersion": "v1", "kind": "Service"}) is None
    assert read({**policy(), "apiVersion": "crd.projectcalico.org/v1"}) is None


def test_rules_of_several_policies_add_up():
    one = policy(ingress=[{"ports": [{"port": 8080}]}])
    two = policy(ingress=[{"ports": [{"port": 9090}]}])
    assert allowed([one, two], WORKER, API, 9090)
    assert not allowed([one], WORKER, API, 9090)
