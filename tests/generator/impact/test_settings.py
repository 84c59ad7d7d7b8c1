import pytest

from generator.chart import key_table
from generator.render import helm_notes
from generator.render.normalise import MADE_UP
from tests.generator.impact.builders import airflow_cfg, config, found, scaler, workload

POD = workload("worker")


def edited(before, after, rule="no-effect", **facts):
    return found([POD], [POD], rule, {"values": before, **facts}, {"values": after, **facts})


def value(path, leaf):
    for name in reversed(path.split(".")):
        leaf = {name: leaf}
    return leaf


def merged(*trees):
    result = {}
    for tree in trees:
        for name, item in tree.items():
            old = result.get(name)
            both = isinstance(old, dict) and isinstance(item, dict)
            result[name] = merged(old, item) if both else item
    return result


OVERRULED = [
    ("workers.celery.replicas", value("workers.celery.keda.enabled", True), {}),
    ("workers.replicas", value("workers.celery.hpa.enabled", True), {}),
    ("triggerer.replicas", value("triggerer.keda.enabled", True), {}),
    ("apiServer.replicas", value("apiServer.hpa.enabled", True), {}),
    ("workers.celery.hpa.maxReplicaCount", value("workers.celery.keda.enabled", True), {}),
    ("dags.gitSync.credentialsSecret", value("dags.gitSync.sshKeySecret", "s"), {}),
    ("images.airflow.tag", value("images.airflow.digest", "sha256:1"), {}),
    ("defaultAirflowTag", value("defaultAirflowDigest", "sha256:1"), {}),
    ("webserver.replicas", {}, {"airflow_version": "3.2.2"}),
    ("ingress.web.enabled", {}, {"airflow_version": "3.2.2"}),
    ("apiServer.replicas", {}, {"airflow_version": "2.11.0"}),
    ("ingress.apiServer.enabled", {}, {"airflow_version": "2.11.0"}),
    ("workers.celery.replicas", {}, {"executor": "KubernetesExecutor"}),
    ("redis.persistence.size", {}, {"executor": "LocalExecutor"}),
    ("flower.replicas", {}, {"executor": "LocalExecutor"}),
    ("cleanup.schedule", {}, {"executor": "CeleryExecutor"}),
    ("fullnameOverride", {}, {}),
    ("nameOverride", {}, {}),
    ("scheduler.securityContexts.containers", {}, {}),
]


@pytest.mark.parametrize(("path", "rest", "facts"), OVERRULED)
def test_an_edited_value_that_is_overruled_is_told(path, rest, facts):
    before, after = merged(rest, value(path, 1)), merged(rest, value(path, 2))
    (item,) = edited(before, after, **facts)
    assert item.message.startswith(f"{path} has no effect: ")
    assert edited(after, after, **facts) == []


@pytest.mark.parametrize(("airflow", "number"), [("2.11.0", 0), ("3.2.2", 1)])
def test_the_webservers_key_is_an_old_name_from_airflow_3_on(airflow, number):
    key = value("webserverSecretKeySecretName", "x")
    assert len(edited({}, key, "deprecated-key", airflow_version=airflow)) == number


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("workers.celery.replicas", {"executor": "CeleryExecutor"}),
        ("webserver.replicas", {"airflow_version": "2.11.0"}),
        ("webserver.replicas", {}),
        ("apiServer.replicas", {"airflow_version": "3.2.2"}),
        ("redis.enabled", {}),
        ("images.airflow.tag", {}),
        ("webserverx", {"airflow_version": "3.2.2"}),
    ],
)
def test_an_edited_value_that_counts_is_not(path, facts):
    assert edited(value(path, 1), value(path, 2), **facts) == []


@pytest.mark.parametrize(
    ("path", "facts", "last"),
    [
        ("cleanup.schedule", {"executor": "CeleryExecutor"}, "1.18.0"),
        ("fullnameOverride", {}, "1.10.0"),
        ("webserver.replicas", {"airflow_version": "3.0.6"}, "1.15.0"),
    ],
)
def test_what_older_charts_do_read_has_an_effect(path, facts, last):
    counts = [
        version
        for version in key_table.versions()
        if not edited(value(path, 1), value(path, 2), chart_version=version, **facts)
    ]
    assert counts[-1] == last and len(counts) == key_table.versions().index(last) + 1
    assert edited(value(path, 1), value(path, 2), chart_version="1.99.0", **facts)


def test_unknown_values_say_nothing():
    assert edited(None, {"webserver": {"replicas": 1}}, airflow_version="3.2.2") == []


def test_a_value_that_renders_nothing_is_told():
    (item,) = edited({}, {"apiserver": {"replicas": 2}}, "nothing-rendered")
    assert item.message.startswith("apiserver.replicas was edited")
    assert "check the spelling" in item.message
    assert edited({"a": 1}, {"a": 1}, "nothing-rendered") == []
    facts = {"values": {}}, {"values": {"a": 1}}
    assert found([POD], [POD, config({"a": "1"})], "nothing-rendered", *facts) == []


@pytest.mark.parametrize("key", ["airflowVersion", "apiserver"])
def test_a_value_behind_which_each_render_generates_anew_is_not_called_unused(key):
    facts = [{"values": {key: value}, "chart_version": "1.22.0"} for value in ("1", "2")]
    made_up = config({"a": MADE_UP})
    (item,) = found([POD, made_up], [POD, made_up], "nothing-rendered", *facts)
    assert "was not compared, in ConfigMap" in item.message
    assert "no object depends" not in item.message
    assert ("spelling" in item.message) == (key == "apiserver")


@pytest.mark.parametrize("version", ["1.6.0", "1.22.0"])
def test_a_key_that_the_chart_reads_is_not_called_misspelled(version):
    facts = [
        {"values": {"airflowVersion": value}, "chart_version": version}
        for value in ("2.10.4", "2.10.5")
    ]
    (item,) = found([POD], [POD], "nothing-rendered", *facts)
    assert "the chart reads it" in item.message and "spelling" not in item.message
    assert "assumed: a cluster without objects (`lookup`)" in item.message


def test_written_replicas_under_an_autoscaler_are_told():
    scale = scaler("worker", 1, 9)
    (item,) = found([POD, scale], [workload("worker", replicas=5), scale], "no-effect")
    assert "ScaledObject scale-worker decides" in item.message
    assert found([POD, scale], [POD, scale], "no-effect") == []
    assert found([POD], [workload("worker", replicas=5)], "no-effect") == []


NOTES = """Thank you!

DEPRECATION WARNING:
   `a.b` has been renamed to `c.d`.
   Please change your values.

 DEPRECATION WARNING:
    `e` section has been removed.
"""
WRITTEN = {"a": {"b": 1}, "e": 2}


def warned(notes, values):
    return {"values": values, "warnings": helm_notes.warnings(notes, values)}


def test_new_deprecations_in_the_notes_are_told():
    (item,) = found([], [], "deprecated-key", warned("", {}), warned(NOTES, WRITTEN))
    assert item.message == "`a.b` is deprecated: use `c.d`; `e` is deprecated: remove it"
    assert item.brief == "2 deprecated chart keys"


def test_old_keys_that_only_the_chart_itself_sets_are_not_told():
    (item,) = found([], [], "deprecated-key", warned("", {}), warned(NOTES, {"e": 1}))
    assert item.message == "`e` is deprecated: remove it"


def test_standing_deprecations_are_counted():
    (item,) = found([], [], "deprecated-key", *[warned(NOTES, WRITTEN)] * 2)
    assert item.severity == "info" and item.message.startswith("2 deprecated chart keys")


def test_deprecations_that_the_chart_keeps_quiet_about():
    (item,) = edited({}, value("registry.secretName", "x"), "deprecated-key")
    assert "`registry.secretName` is deprecated: use `imagePullSecrets`" in item.message
    assert edited({}, value("imagePullSecrets", ["x"]), "deprecated-key") == []


@pytest.mark.parametrize(
    ("key", "first"), [("registry.secretName", 19), ("webserverSecretKey", 18)]
)
def test_a_key_is_not_deprecated_in_a_chart_without_its_successor(key, first):
    for minor in range(16, 23):
        facts = {"chart_version": f"1.{minor}.0", "airflow_version": "3.2.2"}
        items = edited({}, value(key, "x"), "deprecated-key", **facts)
        assert bool(items) == (minor >= first), minor


def executors(old, new, base=(), head=()):
    facts = [{"executor": name} for name in (old, new)]
    return found(list(base), list(head), "executor", *facts)


@pytest.mark.parametrize(
    ("old", "new", "severity", "words"),
    [
        ("CeleryExecutor", "KubernetesExecutor", "warning", "queued in the Celery broker"),
        ("KubernetesExecutor", "CeleryExecutor", "warning", "task pods that run now"),
        ("LocalExecutor", "CeleryExecutor", "warning", "inside the scheduler"),
        ("EdgeExecutor", "CeleryExecutor", "warning", "EdgeExecutor: tasks that are queued"),
        ("CeleryExecutor", "CeleryExecutor,KubernetesExecutor", "info", "may now ask for Kube"),
        ("A,B", "B,A", "warning", "tasks that name no executor now run in B"),
    ],
)
def test_a_change_of_executors_is_told(old, new, severity, words):
    (item,) = executors(old, new)
    assert item.severity == severity and words in item.message


def test_the_same_executor_is_not_told():
    assert executors("a.b.CeleryExecutor", "CeleryExecutor") == []
    assert executors(None, "CeleryExecutor") == []


def test_the_executor_is_read_from_airflow_cfg():
    base, head = (
        airflow_cfg(f"[core]\nexecutor = {name}\n") for name in ("LocalExecutor", "CeleryExecutor")
    )
    assert found([base], [head], "executor")


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("webserver.webserverConfig", {"airflow_version": "3.2.2"}),
        ("webserver.defaultUser.username", {"airflow_version": "3.2.2"}),
        ("workers.celery.persistence.size", {"executor": "LocalExecutor"}),
        ("redis.password", {"executor": "KubernetesExecutor"}),
    ],
)
def test_nothing_is_called_without_effect_that_other_templates_read(path, facts):
    assert edited(value(path, "a"), value(path, "b"), **facts) == []
