"""What is said of values is true of each official chart at hand."""

import copy
import dataclasses

import pytest

from generator.chart import key_table
from generator.chart.key_tree import KEYS
from generator.chart.traits import Reading
from generator.lint.values.deprecated import deprecated_problems
from generator.lint.values.schema import schema_problems, validator
from generator.lint.values.unknown_keys import refused_key_problems, unknown_key_problems
from tests import chart_range
from tests.generator.lint import advice
from tests.generator.lint.test_values import BY_ID, nested


@chart_range.each_version
def test_a_hint_names_only_keys_that_the_chart_reads(version):
    count, wrong = advice.measured(version)
    assert count > 100
    assert wrong == set()


@chart_range.each_version
def test_advice_followed_is_not_taken_back_by_the_next_run(version):
    wrong, seen = set(), set()
    for rule, flat, problem in advice.findings(version):
        followed = {**flat, **dict(advice.settings(problem.hint))}
        if followed == flat or (rule, problem.hint) in seen:
            continue
        seen.add((rule, problem.hint))
        after = advice.values_of(version, followed)
        known = advice.faults(version, advice.values_of(version, flat))
        new = advice.faults(version, after) - known
        wrong |= {(rule, problem.hint, *item) for item in new}
        if problem.hint in [item.hint for item in BY_ID[rule].problems(after)]:
            wrong.add((rule, problem.hint, "the same again"))
    assert seen
    assert wrong == set()


@pytest.mark.thorough
@chart_range.each_version
def test_what_is_said_to_fail_the_render_does_fail_it(version):
    claims = {
        rule: flat
        for rule, flat, problem in advice.findings(version)
        if any(words in problem.message for words in advice.FAILS)
    }
    assert len(claims) > 5
    assert [claim for claim, flat in claims.items() if _renders(version, flat)] == []
    assert all(advice.render_of(version, {"airflowVersion": item}) for item in advice.AIRFLOW)


def _renders(version, flat):
    own = {key: value for key, value in flat.items() if not key.startswith("@")}
    return advice.render_of(version, nested(copy.deepcopy(own)))


@chart_range.each_version
def test_nothing_false_is_said_of_releases_as_people_run_them(version):
    count, wrong = advice.false_claims(version)
    assert count > 50
    assert wrong == set()


@chart_range.each_version
def test_a_key_is_refused_exactly_where_the_schema_refuses_it(version):
    check, traits = validator(chart_range.archive(version).schema()), chart_range.traits(version)
    wrong = [
        (key, reading.value)
        for key in _all_keys()
        for reading in [traits.reading(key)]
        for faults in [check.faults(nested({key: None}))]
        if (reading is Reading.REFUSED) != any(f.message.startswith("unknown") for f in faults)
    ]
    assert wrong == []


def _all_keys():
    """Every key of every release in the table, but those that schemas leave to a subchart."""
    keys = set()
    for version in key_table.versions():
        keys |= set(_below(key_table.traits(version).tree.root, ()))
    return sorted(key for key in keys if not key.startswith("postgresql"))


def _below(node, path):
    for name, item in node.get(KEYS, {}).items() if isinstance(node, dict) else ():
        if "." not in name:
            yield ".".join((*path, name))
            yield from _below(item, (*path, name))


@chart_range.each_version
def test_of_the_charts_own_values_nothing_is_called_unknown_or_old(version):
    defaults = chart_range.archive(version).values()
    values = advice.values_of(version, {})
    copied = dataclasses.replace(values, user=defaults, merged=defaults)
    found = [
        *schema_problems(copied, chart_range.archive(version).schema()),
        *refused_key_problems(copied),
        *unknown_key_problems(copied),
        *(item for item in deprecated_problems(copied) if item.rule == "values/deprecated-key"),
        *BY_ID["database/postgresql-keys"].problems(copied),
        *BY_ID["airflow/version-unsupported"].problems(copied),
    ]
    assert [item.message for item in found] == []
