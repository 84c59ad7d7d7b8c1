from generator import impact
from generator.impact.finding import ordered
from generator.impact.rules.versions import VERSION
from tests.generator.impact.builders import claim, side, workload


def test_equal_sides_have_no_impact():
    both = side([workload("scheduler"), claim()])
    assert impact.find(both, both) == ()


def test_errors_come_first_and_nothing_twice():
    findings = impact.find(side([claim(), workload("x")]), side([workload("x", replicas=2)]))
    assert findings == ordered([*findings, *reversed(findings)])
    assert findings[0].severity == "error"


def test_messages_are_masked_and_on_one_line():
    item = VERSION.finding(None, "image https://u:c4n4ry@h/x\n\x1b[31m")
    assert "c4n4ry" not in item.message
    assert "\n" not in item.message and "\x1b" not in item.message
