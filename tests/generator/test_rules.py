"""Every rule is declared once, raised, documented, tested, and raised through its declaration."""

import ast
import fnmatch
import functools
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from generator.actions import validate
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import suppressions
from generator.impact.finding import Finding
from generator.impact.registry import FINDERS
from generator.lint import registry
from generator.lint.definition import all as definition_rules
from generator.lint.rule import Check
from service.check import verdict
from tools import rules, statements

ROOT = Path(__file__).parents[2]
MODULES = [module for module in rules.modules() if Path(module.__file__).stat().st_size]
EVERYTHING = rules.everything()
IDS = [rule.id for rule in EVERYTHING]
# A problem is made by its rule, or read again from the cache of renders.
MAKERS = {"generator.core.rule", "generator.impact.finding", "generator.render.cache"}
# No problem of its own: its id is what a writer accepts.
NEVER_RAISED = {verdict.NOT_COMPARED.id}


def test_every_rule_is_explained():
    for rule in EVERYTHING:
        assert re.fullmatch(r"[a-z-]+/[a-z0-9-]+", rule.id), rule.id
        assert rule.title and not rule.title.endswith("."), rule.id
        assert rule.why.endswith(".") and rule.why != rule.title, rule.id
        assert rule.source, rule.id
        assert (rule.area == "impact") <= (rule.command == "diff"), rule.id
        levels = {level for level, _ in rule.also} | {rule.severity}
        assert len(levels) == len(rule.also) + 1, rule.id


def test_a_second_rule_of_the_same_id_is_refused():
    with pytest.raises(ValueError, match="tree/missing is registered twice"):
        Rule("tree/missing", Severity.INFO, "Another", "It cannot be.")


def test_a_finding_has_a_severity_that_its_rule_declares():
    rule = next(rule for rule in EVERYTHING if rule.id == "tree/missing")
    assert rule.problem("x").severity is Severity.ERROR
    with pytest.raises(ValueError, match="tree/missing does not declare severity info"):
        rule.problem("x", severity=Severity.INFO)


@functools.cache
def nodes(module):
    return tuple(ast.walk(ast.parse(inspect.getsource(module))))


def calls(module):
    """Every call in a module by the name of what is called, with its line."""
    for node in nodes(module):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node.lineno


def test_findings_are_made_by_their_rules_alone():
    by_hand = []
    for module in MODULES:
        made = {name for name, value in vars(module).items() if value in (Problem, Finding)}
        if made and module.__name__ not in MAKERS:
            by_hand += [
                f"{module.__file__}:{line}: make it through its Rule"
                for name, line in calls(module)
                if name in made
            ]
    assert by_hand == []


def named(module):
    """The ids of the rules that a module does more with than declare them or read their id."""
    known = [value for value in vars(module).values() if isinstance(value, ModuleType)]
    if not any(
        isinstance(value, Rule) for part in (module, *known) for value in vars(part).values()
    ):
        return
    ids = {
        id(node.value)
        for node in nodes(module)
        if isinstance(node, ast.Attribute) and node.attr == "id"
    }
    for node in nodes(module):
        value = None
        if id(node) in ids:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            value = vars(module).get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = vars(module).get(node.value.id)
            value = getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
        if isinstance(value, Rule):
            yield value.id


def test_every_rule_is_raised():
    raised = {rule.id for rule in definition_rules.rules()}
    raised |= {check.rule.id for check in registry.CHECKS}
    for module in MODULES:
        raised.update(named(module))
    assert set(IDS) - raised - NEVER_RAISED == set()


def test_every_check_of_values_and_every_finder_of_impact_is_run():
    checks = [item for module in MODULES for item in vars(module).values() if type(item) is Check]
    assert {check.rule.id for check in checks} == {check.rule.id for check in registry.CHECKS}
    for module in MODULES:
        if module.__name__.startswith("generator.impact.rules."):
            assert set(getattr(module, "FINDERS", ())) <= set(FINDERS)


def test_every_rule_is_documented_in_one_row():
    page = (ROOT / "docs/rules.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `([a-z-]+/[a-z0-9-]+)` \|", page, re.M)) == sorted(IDS)


def test_every_rule_is_named_by_a_test():
    text = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))

    def is_named(rule):
        # Tests of impact and of sealed secrets leave the area out.
        short = f'"{rule.id.partition("/")[2]}"'
        return rule.id in text or (rule.area in ("impact", "secrets") and short in text)

    assert [rule.id for rule in EVERYTHING if not is_named(rule)] == []


def test_every_statement_of_a_comparison_has_a_test_that_it_can_fail():
    rows = [line.split(" | ") for line in statements.statements().splitlines()[2:]]
    assert [cells[0] for cells in rows if not cells[2].strip(" |")] == []


def test_what_can_never_be_suppressed_are_rules():
    assert [item for item in suppressions.NEVER if not fnmatch.filter(IDS, item)] == []


def test_what_can_be_suppressed_is_what_validate_finds_and_may_accept():
    code = "from generator.actions import validate; print(*validate.known_rules())"
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    known = set(alone.stdout.split())
    assert known == set(validate.known_rules()), "whatever else is imported"
    assert {"chart/schema", "secrets/stub", "dags/unpinned-ref", "rendered/helm-hook"} <= known
    for never in ("lock/frozen", "tree/missing", "secrets/plain", "adopt/version", "impact/pruned"):
        assert never in IDS and never not in known
