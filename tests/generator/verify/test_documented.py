import re
from pathlib import Path

from generator.verify.result import Outcome
from generator.verify.verdict import decide
from tests.generator.verify.scene import Scene, expected

PAGE = (Path(__file__).parents[3] / "docs/verification.md").read_text("utf-8")


def rows(heading):
    """The first column of the table below a heading."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `?([a-z][a-z-]*)`? \|", part, re.M)[1:]


def test_the_page_lists_every_condition_in_the_order_of_the_result():
    verdict = decide(expected(), Scene().look(50))
    listed = [name for name in rows("Conditions") if name != "manifests"]  # nothing is followed
    assert listed == [condition.name for condition in verdict.conditions]


def test_the_page_lists_every_verdict_that_can_be_the_last_one():
    assert rows("Verdicts") == [outcome.value for outcome in Outcome if outcome != "pending"]
