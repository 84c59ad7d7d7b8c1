import pytest

from generator.core.errors import UserError
from generator.core.problem import Problem, Severity, has_errors, ordered


def problem(rule="a/b", severity=Severity.ERROR, **more):
    return Problem(rule, severity, more.pop("message", "m"), **more)


def test_order_is_by_environment_weight_place_rule_and_without_repetition():
    wanted = [
        problem(severity=Severity.INFO),
        problem(environment="a", path="x", line=2),
        problem(environment="a", path="x", line=10),
        problem(environment="a", path="x", line=10, rule="a/c"),
        problem(environment="a", path="x", line=10, rule="a/c", hint="h"),
        problem(environment="a", path="y"),
        problem(environment="a", severity=Severity.WARNING, path="a"),
        problem(environment="a", severity=Severity.INFO, path="a"),
        problem(environment="b"),
    ]
    assert ordered([*reversed(wanted), *wanted]) == tuple(wanted)


@pytest.mark.parametrize("make", [lambda **p: problem(**p), lambda **p: UserError("m", **p)])
def test_a_place_is_file_and_line_as_far_as_known(make):
    assert make(path="f", line=3).place == "f:3"
    assert make(path="f").place == "f"
    assert make(line=3).place == ""


def test_only_errors_are_errors():
    assert has_errors([problem(severity=Severity.WARNING), problem()])
    assert not has_errors([problem(severity=Severity.WARNING), problem(severity=Severity.INFO)])


def test_the_json_shape():
    assert problem(environment="e", path="p", line=1, hint="h").as_json() == {
        "rule": "a/b", "severity": "error", "environment": "e", "path": "p", "line": 1,
        "message": "m", "hint": "h",
    }  # fmt: skip
