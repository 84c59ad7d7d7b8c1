"""What is said of values is true of each official chart at hand."""

from generator.lint.values.deprecated import deprecated_problems
from generator.lint.values.schema import schema_problems
from generator.lint.values.unknown_keys import unknown_key_problems
from tests import chart_range
from tests.generator.lint import advice
from tests.generator.lint.test_values import BY_ID


@chart_range.each_version
def test_a_hint_names_only_keys_that_the_chart_reads(version):
    count, wrong = advice.measured(version)
    assert count > 100
    assert wrong == set()


@chart_range.each_version
def test_advice_followed_is_not_taken_back_by_the_next_run(version):
    schema = chart_range.archive(version).schema()
    wrong, seen = set(), set()
    for rule, flat, problem in advice.findings(version):
        followed = {**flat, **dict(advice.settings(problem.hint))}
        if followed == flat or (rule, problem.hint) in seen:
            continue
        seen.add((rule, problem.hint))
        after = advice.values_of(version, followed)
        new = _faults(after, schema) - _faults(advice.values_of(version, flat), schema)
        wrong |= {(rule, problem.hint, *item) for item in new}
        if problem.hint in [item.hint for item in BY_ID[rule].problems(after)]:
            wrong.add((rule, problem.hint, "the same again"))
    assert seen
    assert wrong == set()


def _faults(values, schema):
    """What the rest of `check` says of the keys themselves."""
    problems = [
        *schema_problems(values, schema),
        *unknown_key_problems(values),
        *deprecated_problems(values),
    ]
    return {
        (item.rule, item.message) for item in problems if item.rule != "values/deprecated-default"
    }
