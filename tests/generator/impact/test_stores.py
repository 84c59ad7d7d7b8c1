import pytest

from tests.generator.impact.builders import (
    airflow_cfg,
    config,
    found,
    from_secret,
    sealed,
    secret,
    workload,
)

CELERY = {"executor": "CeleryExecutor"}
BROKER = "AIRFLOW__CELERY__BROKER_URL"
REMOTE = "[logging]\nremote_logging = True\nremote_base_log_folder = s3://%s\n"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("[logging]\nremote_logging = False\n", "remote_logging is off"),
        (REMOTE % "b", "becomes s3://b (before: s3://a)"),
        ("[logging]\nremote_logging = True\n", "is removed"),
    ],
)
def test_a_log_store_that_goes_or_moves_is_told(head, words):
    (item,) = found([airflow_cfg(REMOTE % "a")], [airflow_cfg(head)], "log-store")
    assert item.severity == "warning" and words in item.message


@pytest.mark.parametrize("word", ["1", "t", "TRUE"])
def test_true_is_what_airflow_takes_for_true(word):
    base = airflow_cfg(f"[logging]\nremote_logging = {word}\n")
    assert found([base], [airflow_cfg("[logging]\nremote_logging = 0\n")], "log-store")


def test_a_first_log_store_loses_nothing():
    plain = airflow_cfg("[logging]\nremote_logging = False\n")
    assert found([plain], [airflow_cfg(REMOTE % "a")], "log-store") == []
    assert found([airflow_cfg(REMOTE % "a")], [airflow_cfg(REMOTE % "a")], "log-store") == []


def logs_in(volume, kind="Deployment", **rest):
    pod = {
        "container_volumeMounts": [{"name": "logs", "mountPath": "/opt/airflow/logs", **rest}],
        "volumes": [{"name": "logs", **volume}],
    }
    return workload("worker", kind, **pod)


LOGS = {"persistentVolumeClaim": {"claimName": "logs"}}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (logs_in({"emptyDir": {}}), "to no volume instead of claim logs"),
        (logs_in({"emptyDir": {}}, "StatefulSet"), "to no volume instead of claim logs"),
        (logs_in({"nfs": {"server": "n", "path": "/l"}}), "nfs"),
        (logs_in(LOGS, subPath="new"), "claim logs, folder new instead of claim logs"),
    ],
)
def test_a_volume_of_logs_that_goes_or_becomes_another_is_told(head, words):
    (item,) = found([logs_in(LOGS)], [head], "log-store")
    assert item.severity == "warning" and words in item.message
    remote = airflow_cfg(REMOTE % "a")
    assert found([logs_in(LOGS), remote], [head, remote], "log-store") == []
    assert found([logs_in(LOGS)], [logs_in(LOGS)], "log-store") == []


def reads(name="s"):
    return workload("worker", container_env=[from_secret(BROKER, name, "url")])


def url(host, password="p", name="s"):
    return secret(name, url=f"redis://:{password}@{host}:6379/0")


@pytest.mark.parametrize(
    "head", [[reads("t")], [reads("t"), url("two", name="t")], [reads(), url("two")]]
)
def test_another_broker_leaves_queued_tasks_behind(head):
    (item,) = found([reads(), url("one")], head, "broker", CELERY, CELERY)
    assert item.severity == "warning" and "tasks queued in the old one" in item.message


def test_the_same_broker_with_another_password_loses_nothing():
    assert found([reads(), url("one")], [reads(), url("one", "q")], "broker", CELERY, CELERY) == []
    moved = [reads("t"), url("one", name="t")]
    assert found([reads(), url("one")], moved, "broker", CELERY, CELERY) == []


def test_a_broker_that_nothing_gives_is_an_error():
    (item,) = found([reads()], [workload("worker")], "broker", CELERY, CELERY)
    assert item.severity == "error"
    on_kubernetes = {"executor": "KubernetesExecutor"}
    assert found([reads()], [workload("worker")], "broker", CELERY, on_kubernetes) == []


def test_a_written_broker_that_moves_is_told_without_its_password():
    base, head = (airflow_cfg(f"[celery]\nbroker_url = redis://:c4n4ry@{host}/0\n")
                  for host in ("one", "two"))  # fmt: skip
    (item,) = found([base], [head], "broker", CELERY, CELERY)
    assert "from one/0 to two/0" in item.message and "c4n4ry" not in item.message


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("[secrets]\n", "is removed"),
        ("[secrets]\nbackend = b.Other\n", "backend becomes b.Other (before: a.Vault)"),
        ("[secrets]\nbackend = a.Vault\nbackend_kwargs = {}\n", "backend_kwargs changes"),
    ],
)
def test_another_secrets_backend_is_told(head, words):
    base = airflow_cfg("[secrets]\nbackend = a.Vault\n")
    (item,) = found([base], [airflow_cfg(head)], "secrets-backend")
    assert words in item.message
    assert found([base], [base], "secrets-backend") == []


def given(*names, whole=None, kind="secretRef"):
    env = [from_secret(name, "s", "k") for name in names]
    every = [{kind: {"name": whole}}] if whole else []
    return workload("worker", container_env=env, container_envFrom=every)


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        ([given("AIRFLOW_CONN_A", "AIRFLOW_VAR_B")], [given("AIRFLOW_VAR_B")], "AIRFLOW_CONN_A:"),
        ([given(whole="x"), sealed("x", A="1", B="2")], [given()], "A and B:"),
        (
            [given(whole="x"), sealed("x", A="1", B="2")],
            [given(whole="x"), sealed("x", A="1")],
            "B:",
        ),
        ([given(whole="x")], [given()], "all of Secret x:"),
        (
            [given(whole="x", kind="configMapRef"), config({"C": "1"}, "x")],
            [given(), config({"C": "1"}, "x")],
            "C:",
        ),
    ],
)
def test_connections_and_variables_that_pods_are_no_longer_given_are_told(base, head, words):
    (item,) = found(base, head, "variables-gone")
    assert item.severity == "warning" and f"no longer given {words}" in item.message


def test_what_pods_get_in_another_way_or_did_not_get_is_not_told():
    base = [given(whole="x"), sealed("x", AIRFLOW_CONN_A="1")]
    assert found(base, [given("AIRFLOW_CONN_A")], "variables-gone") == []
    assert found(base, [given(whole="y")], "variables-gone") == []
    assert found([given()], base, "variables-gone") == []
    chart = [given("AIRFLOW_CONN_AIRFLOW_DB", "AIRFLOW__CELERY__BROKER_URL")]
    assert found(chart, [given()], "variables-gone") == []


def named(work, name):
    return {**work, "metadata": {**work["metadata"], "name": name}}


def test_workloads_of_one_component_are_compared_each_with_itself():
    one, two = given("AIRFLOW_CONN_A"), named(given("AIRFLOW_VAR_B"), "airflow-worker-two")
    three = named(given(), "airflow-worker-three")
    for base, head in (([one, two], [two, one]), ([one, three], [one, two]), ([one, two], [one])):
        assert found(base, head, "variables-gone") == []
    (item,) = found([one, two], [one, three], "variables-gone")
    assert "no longer given AIRFLOW_VAR_B" in item.message
