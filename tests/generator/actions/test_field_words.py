"""What `validate` tells people to write is what a definition takes, to the letter."""

import re

import pydantic
import pytest
import yaml

from generator.actions.field_words import HINTS, Words, fields
from generator.core.rule import registered
from generator.model.environment import Environment
from generator.release import chart_lines
from generator.release.setting import PROMISE
from tests.generator.lint.defaults import DEFAULTS
from tests.generator.lint.test_values import BAD, BAD_AND_GOOD, BY_ID, values_input
from tests.repositories import STAGING, Repo, dev_and_staging

DECIDED = {
    ("scheduler", "podDisruptionBudget", "enabled"): "scheduler.disruptionBudget",
    ("migrateDatabaseJob", "useHelmHooks"): PROMISE,
}
LINE = chart_lines.closest("1.22.0")
WORDS = Words("staging", lambda key: LINE.owner(key, DECIDED), DEFAULTS)

DOES = re.compile(
    r"\b(?:set|add|change|remove|use|raise|lower|keep|move it to|rename it to|did you mean) "
    r"(?:values\.)?(?P<path>[a-z]\w*(?:\.\w+)+)"
    r"(?:: (?P<value>\"[^\"]*\"|\[[^\]]*\]|\{.*\}|[^\s,;]+))?"
)
FREE = ("airflow.config", "airflow.env")


def hints():
    for rule, case in BAD:
        values = values_input(BAD_AND_GOOD[rule][0][case], DEFAULTS)
        yield from (WORDS.problem(item) for item in BY_ID[rule].problems(values))


def told():
    found = {(item.rule, item.hint) for item in hints() if item.hint}
    return sorted(found)


def is_field(path):
    """Whether the definition has that field, or a mapping with free keys around it."""
    parts = path.split(".")
    known = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    nearest = next((name for name in known if name in fields()), "")
    return nearest == path or nearest in FREE or (nearest and takes_any_key(nearest))


def takes_any_key(path):
    return not any(name.startswith(f"{path}.") for name in fields())


@pytest.mark.parametrize(("rule", "hint"), told())
def test_every_hint_names_fields_that_there_are_and_values_that_they_take(rule, hint):
    for match in DOES.finditer(hint):
        path, value = match["path"], match["value"]
        if f"values.{path}" in hint:
            assert LINE.owner(tuple(path.split(".")), DECIDED) is None, "a field decides that key"
            continue
        if "." not in path or path.split(".")[0] not in {name.split(".")[0] for name in fields()}:
            continue
        assert is_field(path), f"{path} is not a field of a definition"
        if value is not None and path in fields():
            assert refused(path, value) == []


def refused(path, value):
    """What the model says about that field with that value in an otherwise valid definition."""
    document = yaml.safe_load(STAGING)
    *parents, last = path.split(".")
    place = document
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = yaml.load(value, Loader=yaml.BaseLoader)
    try:
        Environment.model_validate(document)
    except pydantic.ValidationError as error:
        parts = tuple(path.split("."))
        return [item for item in error.errors() if item["loc"][: len(parts)] == parts]
    return []


def test_a_hint_about_what_gen_env_itself_decides_is_left_out():
    assert WORDS.hint("set migrateDatabaseJob.useHelmHooks: false") == ""


def test_a_field_of_another_form_is_named_with_what_it_takes():
    hint = WORDS.hint("set scheduler.podDisruptionBudget.enabled: true")
    assert hint == "set scheduler.disruptionBudget: {maxUnavailable: 1}"
    assert refused("scheduler.disruptionBudget", "{maxUnavailable: 1}") == []
    assert WORDS.hint("set postgresql.enabled: false") == (
        "change database.embedded (gen-env explain staging database.embedded)"
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("airflowVersion", "airflow.version"),
        ("workers.celery.replicas", "workers.replicas"),
        ("config.core.parallelism", "airflow.config.core.parallelism"),
        ("scheduler.startupProbe", "values.scheduler.startupProbe"),
        ("scheduler", "scheduler"),
        ("s3://a.b/c", "s3://a.b/c"),
        ("airflow.example.com", "airflow.example.com"),
    ],
)
def test_keys_are_called_as_the_definition_calls_them(key, name):
    assert WORDS.message(f"{key} is not set") == f"{name} is not set"


def test_hints_of_their_own_are_for_rules_that_there_are():
    assert HINTS.keys() <= {rule.id for rule in registered()}


@pytest.fixture
def repo(own_chart, templates, tmp_path):
    return Repo(templates.copy("dev-and-staging", dev_and_staging, tmp_path / "repo"))


def test_a_finding_stands_at_the_field_or_where_it_would_stand(repo):
    path = "environments/staging/environment.yaml"
    repo.edit(path, "tier: staging", "tier: production")
    repo.edit(path, "workers:\n", "scheduler:\n  replicas: 1\nworkers:\n")
    done = repo.run("validate", "staging", "-o", "json")
    lines = {
        item["message"].partition("interrupts ")[2].partition(":")[0]: item["line"]
        for item in done.json["problems"]
        if item["rule"] == "scaling/single-replica"
    }
    assert lines["scheduler"] == repo.line(path, "  replicas: 1")
    for item in done.json["problems"]:
        assert not re.search(r"podDisruptionBudget|defaultAirflowTag|airflowVersion", item["hint"])
