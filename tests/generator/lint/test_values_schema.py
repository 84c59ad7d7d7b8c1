import json

import pytest

from generator.helmvalues.values import ValuesInput, merged
from generator.lint.values.schema import schema_problems, validator
from tests.generator.lint.schema import SCHEMA, VALUES


def problems(user, **more):
    values = ValuesInput(user, merged(VALUES, user), "1.22.0", **more)
    return list(schema_problems(values, SCHEMA))


def messages(user):
    return [problem.message for problem in problems(user)]


def test_the_charts_own_values_pass():
    assert problems({}) == []


def test_a_wrong_type_names_both_types_and_suggests_quotes():
    [problem] = problems({"images": {"tag": 3.1}})
    assert problem.message == "images.tag must be text, not a number"
    assert problem.hint == "put the value in quotes"


def test_an_unknown_key_of_a_closed_section_comes_with_a_suggestion():
    [problem] = problems({"scheduler": {"replica": 2}})
    assert problem.message == "unknown key scheduler.replica"
    assert problem.hint == "did you mean replicas?"


def test_every_unknown_key_is_a_problem_of_its_own():
    assert len(problems({"scheduler": {"replica": 2, "foo": 1, "bar": 2}})) == 3


def test_a_choice_lists_what_may_be_chosen():
    [message] = messages({"images": {"pullPolicy": "Sometimes"}})
    assert message == "images.pullPolicy must be one of Always, Never, IfNotPresent"


def test_a_missing_key_is_named_with_its_place():
    assert messages({"priorityClasses": [{"name": "a"}]}) == [
        "priorityClasses[0] lacks the key value"
    ]


def test_two_missing_keys_are_two_problems():
    found = messages({"env": [{}]})
    assert found == ["env[0] lacks the key name", "env[0] lacks the key value"]


def test_of_alternatives_the_one_that_was_meant_is_explained():
    [problem] = problems({"hosts": [{"name": "a", "tlss": {}}]})
    assert problem.message == "unknown key hosts[0].tlss"
    assert problem.hint == "did you mean tls?"


def test_of_alternatives_without_a_fit_all_types_are_named():
    assert messages({"hosts": [4]}) == ["hosts[0] must be a mapping or text, not a number"]


def test_extra_env_as_a_list_gets_the_charts_own_hint():
    [problem] = problems({"extraEnv": [{"name": "A"}]})
    assert problem.message == "extraEnv must be text, not a list"
    assert "write `extraEnv: |`" in problem.hint


def test_a_form_is_not_quoted_and_neither_is_the_value():
    [problem] = problems({"executor": "s3cr3t value"})
    assert problem.message == "executor does not have the required form"


@pytest.mark.parametrize(
    "user",
    [
        {"scheduler": {"replicas": "s3cr3t"}},
        {"executor": "s3cr3t value"},
        {"images": {"pullPolicy": "s3cr3t"}},
        {"hosts": ["s3cr3t", {"name": "s3cr3t", "s": "s3cr3t"}]},
        {"env": [{"name": ["s3cr3t"], "value": "s3cr3t", "x": "s3cr3t"}]},
    ],
)
def test_no_message_quotes_a_value(user):
    found = problems(user)
    assert found
    assert "s3cr3t" not in json.dumps([problem.as_json() for problem in found])


def test_all_errors_come_at_once_with_their_places():
    def locate(path):
        return "v.yaml", len(path)

    found = problems({"executor": 3, "scheduler": {"replicas": "x"}}, locate=locate)
    assert sorted(problem.line for problem in found) == [1, 2]


def test_a_schema_is_compiled_once():
    assert validator(SCHEMA) is validator(dict(SCHEMA))
