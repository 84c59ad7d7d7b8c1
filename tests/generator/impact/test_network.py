import pytest

from generator.impact.network_flows import Flow
from tests.generator.impact.builders import config, found, manifest, policy, workload

POD = workload("api", container_ports=[{"name": "http", "containerPort": 8080}])


def peer(component):
    return {"podSelector": {"matchLabels": {"component": component}}}


def rule(*peers, port=8080, side="from", **entry):
    ports = [{"port": port, **entry}] if port is not None else []
    return {side: list(peers), "ports": ports}


def flows(base, head):
    return [(f.rule.removeprefix("impact/flow-"), f.message) for f in found(base, head)
            if f.rule.startswith("impact/flow-")]  # fmt: skip


def test_a_first_policy_closes_everything_else():
    (item,) = flows([POD], [POD, policy("api", [rule(peer("worker"))])])
    assert item == (
        "closed",
        "api receives only from worker pods on port 8080/TCP; before, it was open to everyone",
    )


def test_a_policy_without_rules_leaves_nothing():
    (item,) = flows([POD], [POD, policy("api", [])])
    assert item == ("closed", "api receives nothing; before, it was open to everyone")


def test_without_its_policy_a_workload_is_open():
    (item,) = flows([POD, policy("api", [])], [POD])
    assert item == ("opened", "api receives from everyone on every port; no policy limits it now")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (peer("scheduler"), "scheduler pods"),
        ({"podSelector": {}}, "every pod of the namespace"),
        ({"podSelector": {"matchLabels": {"app": "x"}}}, "pods with app=x"),
        ({"namespaceSelector": {}}, "every pod in every namespace"),
        (
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}},
            "every pod in namespace ingress",
        ),
        (
            {
                "namespaceSelector": {"matchLabels": {"team": "a"}},
                "podSelector": {
                    "matchExpressions": [{"key": "app", "operator": "In", "values": ["x", "y"]}]
                },
            },
            "pods with app In (x, y) in namespaces with team=a",
        ),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, "10.0.0.0/8 except"),
    ],
)
def test_peers_in_words(entry, words):
    base = [POD, policy("api", [rule(peer("worker"))])]
    head = [POD, policy("api", [rule(peer("worker"), entry)])]
    ((action, message),) = flows(base, head)
    assert action == "opened" and words in message
    ((action, message),) = flows(head, base)
    assert action == "closed" and words in message


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        ([{"port": "http"}], "port http (8080/TCP)"),
        ([{"port": 53, "protocol": "UDP"}], "port 53/UDP"),
        ([{"port": 8000, "endPort": 8100}], "ports 8000-8100/TCP"),
        ([{"protocol": "SCTP"}], "every SCTP port"),
        ([], "every port"),
    ],
)
def test_ports_in_words(ports, words):
    base = [POD, policy("api", [])]
    head = [POD, policy("api", [{"from": [peer("worker")], "ports": ports}])]
    ((_, message),) = flows(base, head)
    assert message == f"api also receives from worker pods on {words}"


def test_egress_is_told_as_sending_and_reads_port_names_at_the_target():
    base = [POD, workload("worker"), policy("worker", egress=[])]
    head = [*base[:2], policy("worker", egress=[rule(peer("api"), port="http", side="to")])]
    ((_, message),) = flows(base, head)
    assert message == "worker also sends to api pods on port http (8080/TCP)"


def test_policies_add_up():
    both = [policy("api", [rule(peer("a"))], name="1"), policy("api", [rule(peer("b"))], name="2")]
    one = policy("api", [rule(peer("a"), peer("b"))], name="3")
    assert flows([POD, *both], [POD, one]) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (rule({"ipBlock": {"cidr": "10.0.0.0/8"}}), rule({"ipBlock": {"cidr": "10.2.0.0/16"}})),
        (rule(peer("a"), port=None), rule(peer("a"))),
        (rule(peer("a"), port=8000, endPort=9000), rule(peer("a"))),
        ({"ports": [{"port": 8080}]}, rule(peer("a"))),
    ],
)
def test_a_narrower_flow_opens_nothing(wide, narrow):
    actions = [action for action, _ in flows(
        [POD, policy("api", [wide])], [POD, policy("api", [narrow])]
    )]  # fmt: skip
    assert actions == ["closed"]


def test_equal_policies_close_and_open_nothing():
    both = [POD, policy("api", [rule(peer("a"))])]
    assert found(both, both, "flow-closed") == found(both, both, "flow-opened") == []


def test_a_flow_does_not_cover_another_address_family():
    assert not Flow("10.0.0.0/8").covers(Flow("fd00::/8"))
    assert not Flow("nonsense").covers(Flow("10.0.0.0/8"))


def test_opening_to_the_world_is_a_warning():
    base = [POD, policy("api", [])]
    head = [POD, policy("api", [rule({"ipBlock": {"cidr": "0.0.0.0/0"}})])]
    (item,) = found(base, head, "flow-opened")
    assert item.severity == "warning"


def test_thousands_of_addresses_are_told_in_one_finding():
    def block(second):
        peers = [{"ipBlock": {"cidr": f"10.{second}.{n // 250}.{n % 250}/32"}} for n in range(3000)]
        return policy("api", [rule(*peers)])

    (opened,) = found([POD, block(1)], [POD, block(2)], "flow-opened")
    assert "and 2,990 more" in opened.message


def test_a_policy_that_selects_nothing_is_told():
    (item,) = found([POD], [POD, policy("webserver", [])], "policy-selects-nothing")
    assert item.severity == "warning"
    assert found([POD], [POD, policy("api", [])], "policy-selects-nothing") == []


def test_a_policy_for_pods_that_tasks_start_is_not_told():
    spec = {"podSelector": {"matchLabels": {"kubernetes_pod_operator": "True"}}}
    launched = manifest("networking.k8s.io/v1", "NetworkPolicy", "launched", spec=spec)
    assert found([POD], [POD, launched], "policy-selects-nothing") == []


def test_what_was_so_before_is_only_a_note():
    both = [POD, policy("webserver", [])]
    (item,) = found(both, [*both, config({"a": "b"})], "policy-selects-nothing")
    assert item.severity == "info" and "already so" in item.message


def test_an_empty_selector_is_for_every_pod():
    everyone = manifest("networking.k8s.io/v1", "NetworkPolicy", "deny", spec={"podSelector": {}})
    assert found([], [everyone], "policy-selects-nothing") == []


def test_task_pods_are_selected_as_well():
    text = "kind: Pod\nmetadata: {labels: {component: worker}}\nspec: {containers: []}\n"
    head = [config({"pod_template_file.yaml": text}), policy("worker", [])]
    assert found([], head, "policy-selects-nothing") == []


def test_a_port_name_that_no_container_has_is_told():
    (item,) = found([POD], [POD, policy("api", [rule(peer("x"), port="web")])], "policy-port")
    assert "port web" in item.message
    assert found([POD], [POD, policy("api", [rule(peer("x"), port="http")])], "policy-port") == []


def test_a_new_workload_without_a_policy_is_told_where_others_have_one():
    base = [POD, policy("api", [])]
    (item,) = found(base, [*base, workload("flower")], "not-isolated")
    assert str(item.resource) == "Deployment airflow/airflow-flower"
    assert found([POD], [POD, workload("flower")], "not-isolated") == []
    job = manifest("batch/v1", "Job", "j", spec={"template": {"spec": {}}})
    assert found(base, [*base, job], "not-isolated") == []
