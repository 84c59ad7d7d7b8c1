"""Each check of values finds what it is about and lets the nearest harmless values pass."""

import importlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.chart.chart import open_chart
from generator.core.problem import Severity
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.registry import CHECKS, value_problems
from tests.effort import examples
from tests.generator.lint.defaults import DEFAULTS

BY_ID = {check.rule.id: check for check in CHECKS}


def _cases(module):
    name = module.rpartition(".")[2]
    return importlib.import_module(f"tests.generator.lint.cases.{name}").CASES


MODULES = {check.find.__module__ for check in CHECKS}
BAD_AND_GOOD = {rule: cases for module in sorted(MODULES) for rule, cases in _cases(module).items()}
BAD = [(rule, n) for rule, (bad, _) in BAD_AND_GOOD.items() for n in range(len(bad))]
GOOD = [(rule, n) for rule, (_, good) in BAD_AND_GOOD.items() for n in range(len(good))]


@pytest.fixture(
    scope="module",
    params=["own", pytest.param("official", marks=pytest.mark.real_chart)],
)
def chart_values(request):
    if request.param == "own":
        return DEFAULTS
    return open_chart(request.getfixturevalue("real_chart")).values()


def nested(flat):
    result = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        place = result
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return result


def values_input(flat, defaults, **more):
    circumstances = {key[1:]: value for key, value in flat.items() if key.startswith("@")}
    user = nested({key: value for key, value in flat.items() if not key.startswith("@")})
    circumstances = {"chart_version": "1.22.0", **circumstances, **more}
    return ValuesInput(user, merged(defaults, user), **circumstances)


def found(rule, flat, defaults):
    return list(BY_ID[rule].problems(values_input(flat, defaults)))


def test_every_rule_has_a_case_that_it_finds_and_one_that_it_lets_pass():
    assert set(BAD_AND_GOOD) == set(BY_ID)
    assert all(bad and good for bad, good in BAD_AND_GOOD.values())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_cases_of_a_module_stand_in_its_own_file(module):
    rules = {check.rule.id for check in CHECKS if check.find.__module__ == module}
    assert set(_cases(module)) == rules


@pytest.mark.few(110)
@pytest.mark.parametrize(("rule", "number"), BAD)
def test_what_is_wrong_is_found(rule, number, chart_values):
    problems = found(rule, BAD_AND_GOOD[rule][0][number], chart_values)
    assert problems
    for problem in problems:
        assert problem.rule == rule
        assert problem.message and problem.hint


@pytest.mark.few(110)
@pytest.mark.parametrize(("rule", "number"), GOOD)
def test_harmless_values_pass(rule, number, chart_values):
    assert found(rule, BAD_AND_GOOD[rule][1][number], chart_values) == []


def test_the_place_is_asked_for_with_the_value_path():
    asked = []

    def locate(path):
        asked.append(path)
        return "values.yaml", 7

    values = values_input({"airflowVersion": "main"}, DEFAULTS, locate=locate)
    [problem] = BY_ID["airflow/version-invalid"].problems(values)
    assert asked == [("airflowVersion",)]
    assert problem.place == "values.yaml:7"


def test_severity_follows_the_tier():
    def severity(tier):
        found_here = BY_ID["database/embedded"].problems(values_input({"@tier": tier}, DEFAULTS))
        return [problem.severity for problem in found_here]

    assert severity("production") == [Severity.ERROR]
    assert severity("staging") == [Severity.WARNING]
    assert severity("development") == []


def test_a_random_key_weighs_less_where_hooks_run_once():
    argocd, helm = (
        found("secrets/random-fernet-key", {"@engine": engine}, DEFAULTS)
        for engine in ("argocd", "helm")
    )
    assert [problem.severity for problem in (*argocd, *helm)] == [Severity.ERROR, Severity.WARNING]


def test_what_a_copied_values_file_repeats_was_not_decided_by_anybody():
    copied = {"webserver": DEFAULTS["webserver"], "postgresql": DEFAULTS["postgresql"]}

    def rules(defaults):
        values = ValuesInput(copied, DEFAULTS, "1.22.0", defaults=defaults)
        return {problem.rule for problem in value_problems(values)}

    inert = {"airflow/webserver-keys", "secrets/inline"}
    assert inert <= rules({})
    assert not inert & rules(DEFAULTS)


SECRET = "s3cr3t-canary"


@pytest.mark.parametrize(
    "flat",
    [
        {"fernetKey": SECRET},
        {"data.metadataConnection.pass": f"{SECRET} with space"},
        {"env": [{"name": "MY_PASSWORD", "value": SECRET}]},
        {"config.database.sql_alchemy_conn": f"postgresql://u:{SECRET}@h/d"},
        {"config.secrets.backend_kwargs": f"token: {SECRET}"},
        {"redis.password": SECRET, "redis.passwordSecretName": "r"},
        {"extraSecrets": {"a": {"stringData": f"k: {SECRET}"}}},
    ],
)
def test_no_message_quotes_a_secret(flat):
    problems = list(value_problems(values_input(flat, DEFAULTS)))
    assert problems
    assert SECRET not in json.dumps([problem.as_json() for problem in problems])


def paths(values, path=()):
    for key, item in values.items():
        yield (*path, key)
        if isinstance(item, dict):
            yield from paths(item, (*path, key))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10**9),
    st.text(max_size=4),
    st.lists(
        st.one_of(st.none(), st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.none())),
        max_size=2,
    ),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@examples(150)
@given(st.dictionaries(st.sampled_from(sorted(paths(DEFAULTS))), JUNK, max_size=6))
def test_values_of_any_shape_are_judged_without_failing(junk):
    values = yaml.safe_load(yaml.safe_dump(DEFAULTS))
    for path, value in junk.items():
        place = values
        for key in path[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1]] = value
    list(value_problems(ValuesInput(values, values, "1.22.0", tier="production")))


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("1.22.0", "set workers.celery.persistence.enabled: false and keep logs elsewhere"),
        ("1.18.0", "set workers.persistence.enabled: false and keep logs elsewhere"),
    ],
)
def test_a_hint_names_the_key_that_the_judged_chart_reads(version, hint):
    flat = {"executor": "LocalExecutor", "@chart_version": version}
    [problem] = found("executor/local-stateful", flat, DEFAULTS)
    assert problem.hint == hint


def test_a_hint_for_a_key_that_the_chart_lacks_names_the_charts_that_have_it():
    flat = {"airflowVersion": "3.0.2", "webserver.webserverConfig": "x"}
    [problem] = found("airflow/webserver-config", {**flat, "@chart_version": "1.16.0"}, DEFAULTS)
    assert problem.hint == (
        "chart 1.16.0 has no key for it; 1.17.0 and later have apiServer.apiServerConfig"
    )


def test_a_finding_whose_point_is_a_key_is_not_made_without_it():
    flat = {"@tier": "production"}

    def components(version):
        problems = found(
            "scaling/no-disruption-budget", {**flat, "@chart_version": version}, DEFAULTS
        )
        return {problem.hint.split(".")[0] for problem in problems}

    assert "set triggerer" in components("1.19.0")
    assert components("1.18.0") == {"set apiServer", "set scheduler"}


def test_no_rule_speaks_of_a_key_that_the_chart_does_not_read():
    flat = {"workers.kubernetes.serviceAccount.annotations": {"a": "b"}}
    kubernetes = {"executor": "KubernetesExecutor", **flat}
    rule = "security/task-pod-account"
    assert found(rule, {**kubernetes, "@chart_version": "1.22.0"}, DEFAULTS)
    assert found(rule, {**kubernetes, "@chart_version": "1.20.0"}, DEFAULTS) == []
