import pytest

from generator.chart.key_tree import read
from generator.chart.traits import ChartTraits
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.values.unknown_keys import unknown_key_problems
from tests.generator.lint.schema import SCHEMA, VALUES


def problems(user, subcharts=None):
    traits = ChartTraits("9.9.9", tree=read(SCHEMA, VALUES, subcharts or {"postgresql": {}}))
    values = ValuesInput(user, merged(VALUES, user), "9.9.9", defaults=VALUES, traits=traits)
    return list(unknown_key_problems(values))


def said(user, subcharts=None):
    return [(problem.rule, problem.hint) for problem in problems(user, subcharts)]


def test_the_charts_own_values_have_no_unknown_key():
    assert problems(VALUES) == []


def test_a_misspelt_root_key_is_an_error_with_a_suggestion():
    [problem] = problems({"Scheduler": {"replicas": 2}})
    assert (problem.rule, problem.severity) == ("values/misspelt-key", "error")
    assert problem.hint == "did you mean scheduler?"


def test_a_strange_root_key_is_a_warning():
    assert said({"zebra": 1}) == [("values/unknown-key", "remove it")]


def test_a_key_that_the_chart_has_elsewhere_is_told_so():
    assert said({"role": "Admin"}) == [
        ("values/unknown-key", "did you mean createUserJob.defaultUser.role?")
    ]


def test_a_key_that_only_the_values_file_has_is_known():
    assert problems({"onlyInValues": {"a": 2}}) == []


def test_open_sections_below_the_root_are_searched():
    user = {"workers": {"celery": {"replica": 3, "serviceAccount": {"nam": "x"}}}}
    assert said(user) == [
        ("values/misspelt-key", "did you mean replicas?"),
        ("values/misspelt-key", "did you mean name?"),
    ]


def test_closed_sections_are_left_to_the_schema():
    assert problems({"scheduler": {"replica": 3}}) == []


def test_free_maps_take_any_key():
    user = {
        "labels": {"team": "a"},
        "config": {"core": {"x": "1"}, "own": {"y": "2"}},
        "extraSecrets": {"any-name": {"data": "a: b"}},
        "scheduler": {"labels": {"replica": "x"}},
    }
    assert problems(user) == []


def test_worker_sets_take_the_workers_keys_and_a_name():
    assert problems({"workers": {"celery": {"sets": [{"name": "a", "replicas": 2}]}}}) == []
    rows = [{"name": "a", "replica": 2, "sets": []}]
    found = problems({"workers": {"celery": {"sets": rows}}})
    assert [problem.message for problem in found] == [
        "the chart ignores workers.celery.sets[0].replica: it has no such key",
        "the chart ignores workers.celery.sets[0].sets: it has no such key",
    ]


def test_disruption_budgets_are_searched_though_their_schema_is_open():
    user = {"scheduler": {"podDisruptionBudget": {"config": {"minAvailble": 1}}}}
    assert said(user) == [("values/misspelt-key", "did you mean minAvailable?")]
    budget = {"config": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}
    assert problems({"scheduler": {"podDisruptionBudget": budget}}) == []


def test_anchors_and_helms_own_key_are_no_mistake():
    assert problems({"x-common": {"a": 1}, ".defaults": {}, "_b": 1, "global": {"a": 1}}) == []


def test_a_subcharts_keys_are_judged_only_when_its_values_are_at_hand():
    user = {"postgresql": {"auth": {"exsistingSecret": "s"}}}
    assert problems(user) == []
    own = {"auth": {"existingSecret": "", "password": ""}}
    assert said(user, {"postgresql": own}) == [
        ("values/misspelt-key", "did you mean existingSecret?")
    ]


def test_keys_that_the_deprecations_name_are_not_named_twice():
    assert problems({"defaultUser": {"role": "Admin"}}) == []


def test_a_key_that_a_template_among_the_values_reads_is_the_users_own():
    own = {"mysettings": {"host": "a.example.com"}, "other": 1}
    reader = {"executor": "{{ .Values.mysettings.host }}"}
    assert [item.message for item in problems({**own, **reader})] == [
        "the chart ignores other: it has no such key"
    ]


@pytest.mark.parametrize(
    "reader", ['index .Values "other" "a"', "get $.Values `other`", "range $k, $v := .Values"]
)
def test_a_key_that_a_template_reads_in_another_spelling_is_the_users_own(reader):
    assert problems({"other": {"a": 1}, "executor": f"{{{{ {reader} }}}}"}) == []
    named = problems({"others": 1, "executor": '{{ index .Values "other" }}'})
    assert [item.message for item in named] == ["the chart ignores others: it has no such key"]
