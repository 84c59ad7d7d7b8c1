import pytest

from tests.generator.impact.builders import found, manifest, service, workload

POD = workload("scheduler", replicas=2)


def budget(component, **spec):
    selector = {"matchLabels": {"component": component}}
    return manifest("policy/v1", "PodDisruptionBudget", "b", spec={"selector": selector, **spec})


def monitor(component):
    selector = {"matchLabels": {"component": component}}
    endpoints = [{"port": "http"}]
    spec = {"selector": selector, "endpoints": endpoints}
    return manifest("monitoring.coreos.com/v1", "ServiceMonitor", "m", spec=spec)


def test_a_budget_that_selects_no_pod_is_told():
    (item,) = found([POD], [POD, budget("other", maxUnavailable=1)], "budget-selects-nothing")
    assert item.severity == "warning"
    good = budget("scheduler", maxUnavailable=1)
    assert found([POD], [POD, good], "budget-selects-nothing") == []


def test_a_service_that_selects_no_pod_is_told():
    (item,) = found([POD], [POD, service("other")], "service-selects-nothing")
    assert item.severity == "warning"
    assert found([POD], [POD, service("scheduler")], "service-selects-nothing") == []


def test_a_monitor_that_selects_no_service_is_told():
    known = service("scheduler", labels={"component": "scheduler"})
    (item,) = found([POD], [POD, known, monitor("other")], "monitor-selects-nothing")
    assert item.severity == "warning"
    assert found([POD], [POD, known, monitor("scheduler")], "monitor-selects-nothing") == []


@pytest.mark.parametrize(
    ("spec", "blocks"),
    [
        ({"maxUnavailable": 0}, True),
        ({"minAvailable": 2}, True),
        ({"minAvailable": "100%"}, True),
        ({"maxUnavailable": 1}, False),
        ({"minAvailable": 1}, False),
    ],
)
def test_a_budget_that_lets_no_pod_go_keeps_nodes_from_being_drained(spec, blocks):
    head = [POD, budget("scheduler", **spec)]
    assert bool(found([POD], head, "disruption-budget")) == blocks
    assert {item.severity for item in found(head, head, "disruption-budget")} <= {"info"}
