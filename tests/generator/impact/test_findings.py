import pytest

from generator.impact import registry
from generator.impact.finding import ordered
from generator.impact.rules.versions import VERSION
from generator.kube.resource import Key
from tests.generator.impact.builders import claim, manifest, policy, scaler, service, side, workload

MALFORMED = [
    workload("worker", container_args=5, container_command={"a": "b"}),
    manifest("argoproj.io/v1alpha1", "Application", "a", metadata={"finalizers": 5},
             spec={"syncPolicy": {"syncOptions": True}}),
    manifest("v1", "Service", "airflow-worker", spec={"loadBalancerSourceRanges": 5}),
    policy("worker", ingress=[{"ports": [{"port": "9" * 5000}]}]),
    {**scaler("worker", 1, 2),
     "metadata": {"name": "scale-worker",
                  "annotations": {"autoscaling.keda.sh/paused-replicas": "9" * 5000}}},
]  # fmt: skip


@pytest.mark.parametrize("odd", MALFORMED, ids=lambda item: item["kind"])
def test_malformed_fields_are_no_fault(odd):
    plain = [workload("worker", replicas=2), service("worker")]
    facts = {"application": Key("argoproj.io", "Application", "", "a")}
    for base, head in ((plain, [odd]), ([odd], plain), ([*plain, odd], [odd])):
        registry.find(side(base, facts), side(head, facts))


def test_equal_sides_have_no_impact():
    both = side([workload("scheduler"), claim()])
    assert registry.find(both, both) == ()


def test_errors_come_first_and_nothing_twice():
    findings = registry.find(side([claim(), workload("x")]), side([workload("x", replicas=2)]))
    assert findings == ordered([*findings, *reversed(findings)])
    assert findings[0].severity == "error"


def test_messages_are_masked_and_on_one_line():
    item = VERSION.finding(None, "image https://u:c4n4ry@h/x\n\x1b[31m")
    assert "c4n4ry" not in item.message
    assert "\n" not in item.message and "\x1b" not in item.message
