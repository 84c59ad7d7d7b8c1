"""What a rule says of one set of values as of several releases of the chart."""

import pytest

from generator.chart.key_tree import read
from generator.chart.traits import ChartTraits
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.values.deprecated import deprecated_problems
from generator.lint.values.unknown_keys import refused_key_problems, unknown_key_problems
from tests.generator.lint.defaults import DEFAULTS
from tests.generator.lint.test_values import found, values_input

AIRFLOW3 = {"airflowVersion": "3.0.2"}
WEBSERVER_KEY = {**AIRFLOW3, "webserverSecretKeySecretName": "w"}
KEDA = {"executor": "CeleryExecutor", "workers.keda.enabled": True}
POD_TEMPLATE = {
    "executor": "KubernetesExecutor",
    "podTemplate": "containers: [{name: base}]",
    "env": [{"name": "FOO", "value": "1"}],
}
TRIGGERER = {"executor": "KubernetesExecutor", "triggerer.persistence.enabled": True}
INGRESS = {**AIRFLOW3, "ingress.enabled": True}


@pytest.mark.parametrize(
    ("rule", "flat", "silent", "heard"),
    [
        ("airflow/version-unsupported", {"airflowVersion": "2.9.3"}, "1.19.0", "1.20.0"),
        ("secrets/random-api-key", WEBSERVER_KEY, "1.17.0", "1.18.0"),
        ("secrets/webserver-key-on-airflow-3", WEBSERVER_KEY, "1.17.0", "1.18.0"),
        ("secrets/random-jwt-secret", AIRFLOW3, "1.16.0", "1.17.0"),
        ("database/postgresql-keys", {"postgresql.postgresqlUsername": "a"}, "1.7.0", "1.8.0"),
        ("executor/config-differs", {"config.core.executor": "X"}, "1.9.0", "1.10.0"),
        ("airflow/version-prerelease", {"airflowVersion": "2.10.0-rc1"}, "1.15.0", "1.16.0"),
        ("executor/pod-template-variables", POD_TEMPLATE, "1.19.0", "1.20.0"),
        ("airflow/api-server-off", {**AIRFLOW3, "apiServer.enabled": False}, "1.18.0", "1.19.0"),
        ("ingress/catches-all", INGRESS, "1.16.0", "1.17.0"),
        ("ingress/catches-all", {**INGRESS, "airflowVersion": "2.10.5"}, "none", "1.16.0"),
        ("jobs/user-switch-not-read", {"webserver.defaultUser.enabled": False}, "1.18.0", "1.19.0"),
        ("jobs/user-switch-not-read", {"webserver.defaultUser.enabled": False}, "1.20.0", "1.19.0"),
        ("airflow/chart-too-old", AIRFLOW3, "1.16.0", "1.15.0"),
        ("scaling/immutable-claim", {**TRIGGERER, "airflowVersion": "2.6.0"}, "1.8.0", "1.9.0"),
    ],
)
def test_a_claim_is_made_of_the_charts_that_it_holds_for(rule, flat, silent, heard):
    assert found(rule, {**flat, "@chart_version": heard}, DEFAULTS)
    if silent != "none":
        assert found(rule, {**flat, "@chart_version": silent}, DEFAULTS) == []


def test_the_triggerer_of_an_old_airflow_has_no_volume():
    flat = {**TRIGGERER, "airflowVersion": "2.5.3", "@chart_version": "1.9.0"}
    assert found("scaling/immutable-claim", flat, DEFAULTS) == []


@pytest.mark.parametrize(
    ("version", "word"),
    [("1.17.0", "another secret"), ("1.18.0", "another secret"), ("1.19.0", "restarts")],
)
def test_a_random_jwt_secret_does_what_the_chart_makes_of_it(version, word):
    [problem] = found("secrets/random-jwt-secret", {"@chart_version": version}, DEFAULTS)
    assert word in problem.message


@pytest.mark.parametrize(
    ("rule", "flat", "version", "hint"),
    [
        ("jobs/default-user", {"webserver.defaultUser.enabled": True}, "1.18.0",
         "set webserver.defaultUser.enabled: false with single sign-on"),
        ("jobs/default-user", {"webserver.defaultUser.enabled": True}, "1.6.0",
         "set webserver.defaultUser.enabled: false, and make the user yourself"),
        ("jobs/default-user", {"webserver.defaultUser.enabled": True}, "1.20.0",
         "remove webserver.defaultUser.enabled, and set createUserJob.enabled: false with"),
        ("jobs/default-user", {}, "1.19.0", "set createUserJob.enabled: false with single sign-on"),
        ("secrets/random-api-key", AIRFLOW3, "1.17.0",
         "set webserverSecretKeySecretName to a Secret with the key webserver-secret-key"),
        ("network/keda-blocked", {**KEDA, "pgbouncer.enabled": True,
         "networkPolicies.enabled": True}, "1.19.0", "set workers.keda.namespaceLabels"),
        ("scaling/cooldown", {**KEDA, "workers.terminationGracePeriodSeconds": 600}, "1.18.0",
         "set workers.keda.cooldownPeriod above 600"),
        ("monitoring/no-metrics", {"statsd.enabled": False, "@tier": "production"}, "1.21.0",
         "set statsd.enabled: true"),
        ("jobs/custom-environment", {"@chart_version": "1.7.0"}, "1.7.0", None),
        ("airflow/fullname-ignored", {"fullnameOverride": "x"}, "1.10.0",
         "chart 1.10.0 has no key for it; 1.11.0 and later have useStandardNaming"),
        ("scaling/keda-through-pgbouncer", {**KEDA, "pgbouncer.enabled": True}, "1.9.0",
         "chart 1.9.0 has no key for it; 1.11.0 and later have workers.keda.usePgbouncer"),
        ("secrets/hook-objects", {"extraSecrets": {"a": {"data": "k: v"}}}, "1.14.0",
         "chart 1.14.0 has no key for it; 1.15.0 and later have extraSecrets.a.useHelmHooks"),
        ("airflow/webserver-keys", {**AIRFLOW3, "ingress.web.enabled": True}, "1.16.0",
         "chart 1.16.0 has no key for it; 1.17.0 and later have ingress.apiServer"),
        ("broker/url-missing-for-password", {"redis.passwordSecretName": "r",
         "env": [{"name": "AIRFLOW__CELERY__BROKER_URL_CMD", "value": "x"}]}, "1.15.0",
         "set data.brokerUrlSecretName to a Secret"),
    ],
)  # fmt: skip
def test_advice_is_in_the_words_of_the_chart(rule, flat, version, hint):
    problems = found(rule, {**flat, "@chart_version": version}, DEFAULTS)
    assert [item.hint.startswith(hint or " ") for item in problems][:1] == ([True] if hint else [])


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        ("1.18.0", set()),
        ("1.20.0", {"dags.gitSync.recommendedProbeSetting"}),
        ("1.22.0", {"dags.gitSync.recommendedProbeSetting", "enableServiceLinks"}),
    ],
)
def test_a_default_is_called_changing_where_the_chart_has_the_key(version, keys):
    flat = {"dags.gitSync.enabled": True, "@chart_version": version}
    problems = deprecated_problems(values_input(flat, DEFAULTS))
    hints = {item.hint for item in problems if item.rule == "values/deprecated-default"}
    assert {key for key in keys if any(key in hint for hint in hints)} == keys
    assert len(hints) == len(keys)


@pytest.mark.parametrize(
    ("version", "key", "hint"),
    [
        ("1.19.0", "workers.celery.keda.cooldownPeriod", None),
        ("1.19.0", "workers.celery.keda.enabled", None),
        ("1.19.0", "workers.celery.keda.namespaceLabels",
         "chart 1.19.0 reads workers.keda.namespaceLabels instead"),
        ("1.20.0", "workers.celery.affinity", None),
        ("1.20.0", "workers.kubernetes.labels", "chart 1.20.0 reads workers.labels instead"),
        ("1.17.0", "apiSecretKeySecretName",
         "chart 1.17.0 reads webserverSecretKeySecretName instead"),
        ("1.15.0", "jwtSecretName", "remove it, or use chart 1.17.0 or later"),
        ("1.22.0", "fernetKeySecretNam", "did you mean fernetKeySecretName?"),
        ("1.22.0", "otherSecretKeySecretName", "remove it"),
        ("1.21.0", "enableServiceLinks", "remove it, or use chart 1.22.0 or later"),
        ("1.8.0", "postgresql.postgresqlPassword", None),
    ],
)  # fmt: skip
def test_a_key_is_called_ignored_only_where_it_is(version, key, hint):
    values = values_input({key: "x", "@chart_version": version}, DEFAULTS)
    assert [item.hint for item in unknown_key_problems(values)] == ([hint] if hint else [])


def test_without_a_schema_the_table_tells_what_is_refused():
    values = values_input({"workers.celery.replicas": 2, "@chart_version": "1.18.0"}, DEFAULTS)
    [problem] = refused_key_problems(values)
    assert problem.message == "unknown key workers.celery"
    assert problem.hint == "chart 1.18.0 reads workers instead"


def test_the_name_of_a_service_account_follows_the_override():
    flat = {"scheduler.serviceAccount.annotations": {"a": "b"}, "@release": "r"}
    own = {**flat, "fullnameOverride": "flow"}
    [plain], [named] = (found("security/account-names", item, DEFAULTS) for item in (flat, own))
    assert "begins with r-airflow-" in plain.message
    assert "begins with flow-" in named.message


@pytest.mark.parametrize(
    ("version", "key", "hint"),
    [
        (
            "1.22.0",
            "env",
            "env takes only name and value; use extraEnv, or secret for a Secret's key",
        ),
        ("1.13.1", "scheduler.env", "remove it, or use chart 1.14.0 or later"),
        ("1.22.0", "statsd.env", "statsd.env takes only name and value"),
    ],
)
def test_a_variable_from_a_secret_is_sent_to_where_the_chart_takes_it(version, key, hint):
    source = {"secretKeyRef": {"name": "s", "key": "k"}}
    flat = {key: [{"name": "A", "valueFrom": source}], "@chart_version": version}
    assert [item.hint for item in refused_key_problems(values_input(flat, DEFAULTS))] == [hint]


def test_a_variable_from_a_field_is_not_sent_to_a_chart_that_refuses_it():
    source = {"fieldRef": {"fieldPath": "metadata.name"}}
    variables = [{"name": "A", "valueFrom": source}]
    values = values_input({"scheduler.env": variables, "@chart_version": "1.13.1"}, DEFAULTS)
    assert [item.hint for item in refused_key_problems(values)] == [
        "use extraEnv: chart 1.14.0 takes only secretKeyRef and configMapKeyRef here"
    ]


@pytest.mark.parametrize(
    ("version", "parts"),
    [("1.18.0", "workers"), ("1.19.0", "workers.celery, workers"),
     ("1.22.0", "workers.celery, workers.kubernetes")],
)  # fmt: skip
def test_parts_without_resources_are_called_as_the_chart_calls_them(version, parts):
    both = {"executor": "CeleryKubernetesExecutor", "airflowVersion": "2.11.0"}
    off = {f"{part}.enabled": False for part in ("redis", "statsd", "triggerer", "pgbouncer")}
    defaults = {**DEFAULTS, "workers": {}}
    problems = found("scaling/no-resources", {**both, **off, "@chart_version": version}, defaults)
    assert [item.message.partition("scheduler, ")[2] for item in problems] == [parts]


def test_a_section_whose_parts_go_to_two_places_names_both():
    user = {"webserver.defaultUser": {"enabled": False, "role": "Op"}, "@chart_version": "1.20.0"}
    hints = {item.hint for item in deprecated_problems(values_input(user, DEFAULTS))}
    assert (
        "rename it to createUserJob.defaultUser, and webserver.defaultUser.enabled to "
        "createUserJob.enabled"
    ) in hints


def test_a_newer_chart_that_reads_a_key_is_not_told_that_it_does_not():
    user = {"extraObjects": [{"kind": "ConfigMap"}], "enableServiceLinks": False}
    tree = read({}, {"extraObjects": [], "webserver": {}}, {})
    newer = ChartTraits("1.23.0", tree=tree)
    values = ValuesInput(user, merged(DEFAULTS, user), "1.23.0", defaults=DEFAULTS, traits=newer)
    assert [item.message for item in deprecated_problems(values)] == []


@pytest.mark.parametrize(("username", "number"), [(None, 1), ("", 0)])
def test_a_user_without_a_name_gets_a_new_password_at_every_render(username, number):
    auth = {"enablePostgresUser": True, "postgresPassword": "p", "username": username}
    defaults = {**DEFAULTS, "postgresql": {"enabled": True, "auth": auth}}
    problems = found("secrets/random-postgresql-password", {"@chart_version": "1.8.0"}, defaults)
    assert [item.hint for item in problems] == ['set postgresql.auth.username: ""'] * number


def test_a_workers_key_that_the_chart_ignores_does_not_count():
    flat = {**KEDA, "pgbouncer.enabled": True, "networkPolicies.enabled": True}
    labelled = {**flat, "workers.celery.keda.namespaceLabels": {"a": "b"}}
    assert found("network/keda-blocked", {**labelled, "@chart_version": "1.20.0"}, DEFAULTS) == []
    assert found("network/keda-blocked", {**labelled, "@chart_version": "1.19.0"}, DEFAULTS)
