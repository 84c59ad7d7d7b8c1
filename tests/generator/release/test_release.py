import pytest

from generator.pipeline import generate
from generator.release import release
from generator.tree import secret_state
from tests.repositories import DEV, PRODUCTION, built, changed
from tests.repositories import release as released


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ("{executor: x}", "airflow.executor"),
        ("{scheduler: {replicas: 3}}", "scheduler.replicas"),
        ("{dags: {gitSync: {enabled: true}}}", "dags.gitSync"),
        ("{images: {airflow: {tag: x}}}", "image"),
        ("{scheduler: 1}", "scheduler"),
        ("{workers: {celery: {replicas: 1}}}", "workers.replicas"),
        ("{networkPolicies: {enabled: true}}", "guarantees"),
    ],
)
def test_a_key_that_a_field_owns_is_refused_with_that_field(values, field):
    problems = built(DEV + f"values: {values}\n").problems
    assert {problem.rule for problem in problems} == {"values/owned-key"}
    assert any(field in problem.message + problem.hint for problem in problems)
    assert {problem.line for problem in problems} == {10}


@pytest.mark.parametrize(
    "values",
    ["{}", "{scheduler: {safeToEvict: false}}", "{scheduler: {startupProbe: {timeoutSeconds: 5}}}"],
)
def test_a_free_key_is_merged_last(values):
    result = built(DEV + f"values: {values}\n")
    assert result.release is not None, result.problems
    if "safeToEvict" in values:
        assert result.release.values["scheduler"]["safeToEvict"] is False
    if "startupProbe" in values:
        probe = result.release.values["scheduler"]["startupProbe"]
        assert probe["timeoutSeconds"] == 5 and "failureThreshold" in probe


def test_a_provider_of_a_secret_that_nothing_needs_is_named():
    text = DEV + "secrets: {provider: existing, providers: {airflow-databse: sealed-secrets}}\n"
    (problem,) = built(text).problems
    assert problem.rule == "secrets/unknown-secret" and problem.line == 10
    assert "airflow-databse" in problem.message and "airflow-fernet-key" in problem.hint


def test_the_name_of_the_application_is_unique_by_path():
    assert released(DEV).application == "airflow-dev"
    team = changed(DEV, ("name: dev,", "name: dev, team: payments,"))
    assert released(team, name="payments/dev").application == "airflow-payments-dev"


def test_an_annotation_for_a_long_name_fits_and_stays_distinct():
    one, two = release.annotation("x" * 80 + "a"), release.annotation("x" * 80 + "b")
    assert one != two
    for name in (one, two):
        prefix, _, tail = name.partition("/")
        assert prefix == "gen-env.dev" and len(tail) <= 63
    assert release.annotation("airflow-fernet-key") == "gen-env.dev/secret-hash.airflow-fernet-key"


def test_every_needed_key_has_a_state_and_a_way():
    result = built(PRODUCTION)
    rows = secret_state.rows(result.release, result.secrets)
    assert {row.state for row in rows} == {"missing"}
    made = {(row.secret, row.key): row.made for row in rows}
    assert made["airflow-fernet-key", "fernet-key"] == "generated"
    assert made["prod-database", "kedaConnection"] == "assembled"
    assert made["airflow-git-ssh", "gitSshKey"] == "given"
    assert len(made) == len(rows)


def test_what_argo_cd_applies_beside_the_chart():
    kinds = [item["kind"] for item in generate.own_manifests(built(PRODUCTION))]
    assert kinds[0] == "Namespace"
    assert {"NetworkPolicy", "ServiceMonitor", "SealedSecret"} <= set(kinds)
    written = [
        (item["kind"], item["metadata"]["name"]) for item in generate.written(built(PRODUCTION))
    ]
    assert ("Application", "airflow-production") in written
