"""Every statement that a comparison can make, and the tests that fail if it is false."""

import ast
from pathlib import Path

from tools import rules
from tools.table import table

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "generator"


def statements():
    """A row for each rule of impact: what it says, and the tests that ask for it by its id."""
    tests = _tests()
    rows = []
    for rule in rules.of_impact(rules.everything()):
        short = rule.id.partition("/")[2]
        named = sorted(tests.get(rule.id, set()) | tests.get(short, set()))
        rows.append((f"`{rule.id}`", rule.title, "<br>".join(named)))
    return table(("rule", "says", "tests"), rows)


def _tests():
    """Id (with or without its area) → sentences of the tests that have it in their text."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text("utf-8")
        if path.parent.name != "impact" and "impact/" not in source:
            continue
        named = {name: node for node in ast.parse(source).body for name in _names(node)}
        for name, node in named.items():
            if name.startswith("test_"):
                words = name.removeprefix("test_").replace("_", " ")
                for text in _texts(node, named):
                    # Ids without their area are those of impact only in its own tests.
                    if text.startswith("impact/") or path.parent.name == "impact":
                        found.setdefault(text, set()).add(words)
    return found


def _names(node):
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _texts(node, named):
    """The texts in a test, and in what it uses of its own file."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value
        elif isinstance(inner, ast.Name) and inner.id in named:
            others = {name: other for name, other in named.items() if other is not node}
            yield from _texts(others[inner.id], others) if inner.id in others else ()
