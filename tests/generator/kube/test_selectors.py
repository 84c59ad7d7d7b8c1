import pytest

from generator.kube.selectors import Labelled, matches
from tests.generator.impact.builders import config, found, manifest, scaler, service, workload

POD = workload("scheduler", replicas=2)


def budget(name="b", component="scheduler", **spec):
    selector = {"matchLabels": {"component": component}}
    return manifest("policy/v1", "PodDisruptionBudget", name, spec={"selector": selector, **spec})


@pytest.mark.parametrize(
    "spec",
    [
        {"maxUnavailable": 0},
        {"maxUnavailable": "0%"},
        {"minAvailable": 2},
        {"minAvailable": "100%"},
        {"minAvailable": "51%"},
        {"minAvailable": 1, "maxUnavailable": 1},
    ],
)
def test_a_budget_that_never_lets_a_pod_go_is_told(spec):
    (item,) = found([POD], [POD, budget(**spec)], "disruption-budget")
    assert item.severity == "warning"


@pytest.mark.parametrize(
    "spec", [{"maxUnavailable": 1}, {"minAvailable": 1}, {"minAvailable": "50%"}, {}]
)
def test_a_budget_that_lets_one_go_is_fine(spec):
    assert found([POD], [POD, budget(**spec)], "disruption-budget") == []


def test_fewer_replicas_make_a_budget_block():
    base, head = [POD, budget(minAvailable=1)], [workload("scheduler"), budget(minAvailable=1)]
    assert "of 1 pod of scheduler" in found(base, head, "disruption-budget")[0].message


def test_a_budget_over_no_pods_blocks_nothing():
    head = [POD, scaler("scheduler", 0, 5), budget(minAvailable=1)]
    assert found([POD], head, "disruption-budget") == []


def test_two_budgets_over_the_same_pods_block_each_other():
    head = [POD, budget("a", maxUnavailable=1), budget("b", maxUnavailable=1)]
    (item,) = found([POD], head, "disruption-budget")
    assert item.message.startswith("a and b all select its pods")


def test_what_blocked_before_is_a_note():
    both = [POD, budget(maxUnavailable=0)]
    (item,) = found(both, [*both, config({"a": "b"})], "disruption-budget")
    assert item.severity == "info"


def monitor(labels, port="http", kind="ServiceMonitor", **spec):
    selector = {"matchLabels": labels}
    spec = {"selector": selector, "endpoints": [{"port": port}], **spec}
    return manifest("monitoring.coreos.com/v1", kind, "m", spec=spec)


SERVED = [POD, service("scheduler", {"app": "scheduler"})]


def test_a_monitor_that_selects_no_service_is_told():
    (item,) = found(SERVED, [*SERVED, monitor({"app": "x"})], "monitor-selects-nothing")
    assert item.message.startswith("selects no Service")
    assert found(SERVED, [*SERVED, monitor({"app": "scheduler"})], "monitor-selects-nothing") == []


def test_a_monitor_of_an_absent_port_is_told():
    head = [*SERVED, monitor({"app": "scheduler"}, port="metrics")]
    assert "port named metrics" in found(SERVED, head, "monitor-selects-nothing")[0].message


@pytest.mark.parametrize(
    ("spaces", "count"),
    [({"any": True}, 0), ({"matchNames": ["airflow"]}, 0), ({"matchNames": ["other"]}, 1)],
)
def test_a_monitor_looks_into_the_namespaces_it_names(spaces, count):
    head = [*SERVED, monitor({"app": "scheduler"}, namespaceSelector=spaces)]
    assert len(found(SERVED, head, "monitor-selects-nothing")) == count


def test_a_pod_monitor_selects_pods():
    assert found([POD], [POD, monitor({"component": "x"}, kind="PodMonitor")],
                 "monitor-selects-nothing")  # fmt: skip
    assert found([POD], [POD, monitor({"component": "scheduler"}, kind="PodMonitor")],
                 "monitor-selects-nothing") == []  # fmt: skip


def test_a_budget_and_a_service_that_select_nothing_are_told():
    assert found([POD], [POD, budget(component="x")], "budget-selects-nothing")
    assert found([POD], [POD, budget()], "budget-selects-nothing") == []
    assert found([POD], [POD, service("x")], "service-selects-nothing")
    assert found([POD], [POD, service("scheduler")], "service-selects-nothing") == []


def test_what_selected_nothing_before_is_a_note():
    both = [POD, service("x")]
    (item,) = found(both, [*both, config({"a": "b"})], "service-selects-nothing")
    assert item.severity == "info"


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "b", "operator": "NotIn", "values": ["1"]}, True),
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "b", "operator": "DoesNotExist"}, True),
        ({"key": "a", "operator": "Sometimes"}, False),
        ({"key": "a", "operator": "In", "values": 5}, False),
    ],
)
def test_expressions(expression, selected):
    assert matches({"matchExpressions": [expression]}, {"a": "1"}) is selected


def test_an_empty_selector_matches_everything_and_no_selector_nothing():
    assert matches({}, {"a": "1"}) and matches({"matchLabels": {}}, {})
    assert not matches(None, {"a": "1"}) and not matches("a", {"a": "1"})
    assert Labelled([("n", {"a": "1"}, "x")]).selected(None, "n") == []


def test_values_compare_as_strings_and_an_absent_label_has_none():
    assert matches({"matchLabels": {"a": 1}}, {"a": "1"})
    one = {"key": "a", "operator": "In", "values": [1]}
    assert matches({"matchExpressions": [one]}, {"a": "1"})
    assert not matches({"matchLabels": {"a": None}}, {})
    assert Labelled([("n", {"a": "1"}, "x")]).selected({"matchLabels": {"a": 1}}, "n") == ["x"]


def test_the_index_finds_what_trying_each_finds():
    items = [("n", {"a": str(i % 3), "b": str(i % 2)}, i) for i in range(12)]
    index = Labelled(items)
    for selector in ({}, {"matchLabels": {"a": "1"}}, {"matchLabels": {"a": "1", "b": "0"}}):
        expected = [i for _, labels, i in items if matches(selector, labels)]
        assert index.selected(selector, "n") == expected
    assert index.selected({}, "other") == []


def test_an_empty_selector_of_a_budget_selects_all_pods_and_no_selector_none():
    everything = manifest(
        "policy/v1", "PodDisruptionBudget", "b", spec={"selector": {}, "maxUnavailable": 0}
    )
    nothing = manifest("policy/v1", "PodDisruptionBudget", "b", spec={"maxUnavailable": 0})
    assert found([POD], [POD, everything], "disruption-budget")
    assert not found([POD], [POD, everything], "budget-selects-nothing")
    assert not found([POD], [POD, nothing], "disruption-budget")
    assert found([POD], [POD, nothing], "budget-selects-nothing")
