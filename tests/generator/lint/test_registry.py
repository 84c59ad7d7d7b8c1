import ast
import re
from pathlib import Path

from generator.actions import validate
from generator.helmvalues.found import RULES as SOURCE_RULES
from generator.lint import file_rules
from generator.lint.definition import all as definition_rules
from generator.lint.definition import repository as repository_rules
from generator.lint.registry import RULES

GENERATOR = Path(definition_rules.__file__).parents[1]
EVERYTHING = [
    *RULES,
    *SOURCE_RULES,
    *definition_rules.rules(),
    *repository_rules.RULES,
    *file_rules.RULES,
]
# Commands that tell findings of their own about what they were given, never about an environment.
_OF_COMMANDS = ("adopt", "adoption", "diff", "live", "migrate", "impact", "check", "promote")


def test_every_rule_is_listed_once_and_explained():
    assert len({rule.id for rule in EVERYTHING}) == len(EVERYTHING)
    for rule in EVERYTHING:
        assert rule.title and rule.why.endswith(".")
        assert rule.severity in ("error", "warning", "info")


def test_no_rule_says_in_its_title_what_it_says_in_its_reason():
    assert all(rule.title != rule.why for rule in EVERYTHING)


def raised():
    """Every rule that a Problem is made with by name, anywhere in the generator."""
    for path in GENERATOR.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [*node.args[:1], *(item.value for item in node.keywords if item.arg == "rule")]
            for item in given if name in ("Problem", "problem", "_problem", "_error") else ():
                text = item.value if isinstance(item, ast.Constant) else None
                if isinstance(text, str) and re.fullmatch(r"[a-z]+/[a-z0-9-]+", text):
                    yield text


def test_every_finding_that_is_raised_by_name_is_documented():
    known = {rule.id for rule in EVERYTHING}
    found = {rule for rule in raised() if rule.partition("/")[0] not in _OF_COMMANDS}
    assert len(found) > 20, "the search finds what it looks for"
    assert sorted(found - known - {"render/not-possible"}) == []


def test_what_is_found_outside_of_the_tables_can_be_named_in_a_suppression():
    assert {rule.id for rule in file_rules.RULES} <= set(validate.known_rules())
