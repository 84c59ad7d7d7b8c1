import re

import pytest

from generator.chart.archive import unpack
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.values.deprecated import deprecated_problems
from generator.release.v1.deprecated import RENAMED
from tests.generator.lint.defaults import DEFAULTS


def problems(user, **more):
    values = ValuesInput(user, merged(DEFAULTS, user), "1.22.0", **more)
    return list(deprecated_problems(values))


def rules(user):
    return [problem.rule for problem in problems({"enableServiceLinks": False, **user})]


def test_an_old_name_comes_with_its_replacement():
    [problem] = problems({"enableServiceLinks": False, "workers": {"replicas": 3}})
    assert problem.rule == "values/deprecated-key"
    assert "workers.celery.replicas" in problem.hint


def test_a_key_for_both_kinds_of_workers_names_both():
    [problem] = problems(
        {"enableServiceLinks": False, "workers": {"resources": {"limits": {"cpu": "1"}}}}
    )
    assert "workers.celery.resources and workers.kubernetes.resources" in problem.hint


def test_empty_and_null_values_say_nothing():
    assert rules({"workers": {"resources": {}, "replicas": None}, "securityContext": {}}) == []
    assert rules({"workers": {"resources": {"limits": None}}}) == []


def test_a_copied_values_file_is_not_full_of_old_names():
    user = {"enableServiceLinks": False, "workers": {"replicas": 1, "keda": {"enabled": False}}}
    assert len(problems(user)) == 2
    assert problems(user, defaults=DEFAULTS) == []
    changed = {**user, "workers": {"replicas": 2}}
    assert len(problems(changed, defaults=DEFAULTS)) == 1


def test_the_new_names_pass():
    assert rules({"workers": {"celery": {"replicas": 3}}, "securityContexts": {"pod": {}}}) == []


def test_a_silent_deprecation_is_named_too():
    assert rules({"registry": {"secretName": "r"}}) == ["values/deprecated-key"]


def test_the_webservers_key_is_right_on_airflow_2():
    user = {"webserverSecretKeySecretName": "w"}
    assert rules(user) == ["values/deprecated-key"]
    assert rules({**user, "airflowVersion": "2.11.0"}) == []


def test_an_open_default_is_a_hint_only():
    assert [(p.rule, p.severity) for p in problems({})] == [("values/deprecated-default", "info")]
    assert problems({"enableServiceLinks": False}) == []
    assert problems({"enableServiceLinks": True}) == []


def test_git_syncs_probe_default_matters_only_with_git_sync():
    assert rules({"dags": {"gitSync": {"enabled": True}}}) == ["values/deprecated-default"]
    recommended = {"enabled": True, "recommendedProbeSetting": True}
    assert rules({"dags": {"gitSync": recommended}}) == []


def test_keys_of_public_values_files_that_do_nothing():
    [problem] = problems({"enableServiceLinks": False, "defaultUser": {"username": "a"}})
    assert problem.rule == "values/ignored-key"
    assert "createUserJob.defaultUser" in problem.hint


def test_the_place_is_the_old_keys():
    def locate(path):
        return "values.yaml", len(path)

    user = {"enableServiceLinks": False, "workers": {"keda": {"enabled": True}}}
    assert [problem.line for problem in problems(user, locate=locate)] == [3]


@pytest.mark.real_chart
def test_every_rename_that_the_chart_warns_of_is_in_the_table(real_chart):
    files = unpack(real_chart.read_bytes())
    name = min((name for name in files if name.endswith("templates/NOTES.txt")), key=len)
    text = files[name].decode()
    said = re.findall(r"`([\w.]+)` (?:has been renamed|section has been removed)", text)
    assert len(said) > 100
    assert {entry.old for entry in RENAMED if entry.warned} - {"ingress.enabled"} == set(said)


@pytest.mark.parametrize(
    ("version", "key", "hint"),
    [
        ("1.18.0", "workers.replicas", None),
        ("1.19.0", "workers.replicas", "rename it to workers.celery.replicas"),
        ("1.19.0", "workers.keda.enabled", None),
        ("1.20.0", "workers.keda.enabled", "rename it to workers.celery.keda.enabled"),
        ("1.20.0", "workers.affinity", None),
        ("1.18.0", "registry.secretName", None),
        ("1.19.0", "registry.secretName", "write it as imagePullSecrets: [{name: SECRET}]"),
        ("1.17.0", "webserverSecretKeySecretName", None),
        ("1.18.0", "scheduler.securityContext", "rename it to scheduler.securityContexts.pod"),
        ("1.22.0", "ingress.web.host", "write it as ingress.web.hosts: [{name: HOST}]"),
    ],
)
def test_only_names_that_the_judged_chart_reads_are_offered(version, key, hint):
    user = {"airflowVersion": "3.0.2", **_nested(key, "x")}
    values = ValuesInput(user, user, version)
    found = [item for item in deprecated_problems(values) if item.rule == "values/deprecated-key"]
    assert [item.hint for item in found] == ([hint] if hint else [])


def _nested(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_of_a_chart_that_nobody_knows_no_name_is_called_old():
    user = {"workers": {"replicas": 2}}
    found = deprecated_problems(ValuesInput(user, user, "1.99.0"))
    assert list(found) == []
