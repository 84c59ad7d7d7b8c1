import re
from pathlib import Path

from generator import impact
from generator.impact.finding import ordered, warning
from generator.impact.registry import RULES
from tests.generator.impact.builders import claim, side, workload

SOURCES = Path(impact.__file__).parent.rglob("*.py")
TESTS = Path(__file__).parent.glob("test_*.py")


def test_every_rule_id_is_tested():
    source = "".join(path.read_text("utf-8") for path in SOURCES)
    tests = "".join(path.read_text("utf-8") for path in TESTS)
    ids = set(re.findall(r'(?:error|warning|info|say|yield|\))\s*\(?\s*"([a-z-]+)"', source))
    assert len(ids) > 40
    assert {name for name in ids if f'"{name}"' not in tests} == set()


def test_every_rule_is_documented():
    for rule in RULES:
        assert (rule.__doc__ or "").startswith("`impact/"), rule


def test_equal_sides_have_no_impact():
    both = side([workload("scheduler"), claim()])
    assert impact.find(both, both) == ()


def test_errors_come_first_and_nothing_twice():
    findings = impact.find(side([claim(), workload("x")]), side([workload("x", replicas=2)]))
    assert findings == ordered([*findings, *reversed(findings)])
    assert findings[0].severity == "error"


def test_messages_are_masked_and_on_one_line():
    item = warning("x", None, "image https://u:c4n4ry@h/x\n\x1b[31m")
    assert "c4n4ry" not in item.message
    assert "\n" not in item.message and "\x1b" not in item.message
