import functools
import json

import pytest
import yaml

from generator.chart.archive import unpack
from generator.chart.chart import open_chart
from generator.render.engine import SdkEngine
from generator.render.request import RenderFailure, RenderRequest, RenderResult
from tests.chart_essence import differences, essence
from tests.generator.render.samples import randomness
from tests.standin_chart import CHART, stand_in_archive

VALUES = CHART.parent / "values"
CASES = sorted(path.stem for path in VALUES.glob("*.yaml"))
# Cases that name every Secret, so that nothing in them may be random.
NAMED = ("airflow-2-11", "celery-keda-pgbouncer", "kubernetes", "local-postgres")
# Defaults that are programs: the stand-in has its own, which do the same.
OWN_WORDS = {
    "airflowLocalSettings",
    "kerberos.config",
    "workers.args",
    "workers.keda.query",
    "triggerer.keda.query",
    "createUserJob.args",
    "migrateDatabaseJob.args",
    "flower.args",
    "databaseCleanup.args",
}


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    return stand_in_archive(tmp_path_factory.mktemp("stand-in"))


def values_of(case):
    return yaml.safe_load((VALUES / f"{case}.yaml").read_text("utf-8"))


def request_for(chart, values, release="airflow", namespace="airflow"):
    return RenderRequest(
        chart=chart,
        release=release,
        namespace=namespace,
        values=values,
        kube_version="1.34.2",
        api_versions=("keda.sh/v1alpha1",),
    )


def rendered(chart, values, release="airflow", namespace="airflow"):
    result = SdkEngine().render(request_for(chart, values, release, namespace))
    assert isinstance(result, RenderResult), str(result)
    return result


@functools.cache
def rendered_case(chart, case, release="airflow", namespace="airflow"):
    return rendered(chart, values_of(case) if case else {}, release, namespace)


def objects(result):
    return {(item["kind"], item["metadata"]["name"]): item for item in result.manifests}


def refused(chart, values):
    failure = SdkEngine().render(request_for(chart, values))
    assert isinstance(failure, RenderFailure)
    return failure


def test_the_archive_says_that_it_is_a_stand_in_and_is_the_same_every_time(tmp_path, stand_in):
    again = tmp_path / "again"
    again.mkdir()
    for path in (VALUES.parent / "airflow").rglob("*"):
        assert not path.is_symlink()
    assert stand_in_archive(again).read_bytes() == stand_in.read_bytes()
    metadata = yaml.safe_load(unpack(stand_in.read_bytes())["Chart.yaml"])
    assert metadata["annotations"]["gen-env.dev/stand-in"] == "true"
    chart = open_chart(stand_in)
    assert (chart.name, chart.version) == ("airflow", "1.22.0")


@pytest.mark.few(1)
@pytest.mark.parametrize("case", NAMED)
def test_with_every_secret_named_nothing_is_random(case, stand_in):
    assert randomness(request_for(stand_in, values_of(case))) == ()


@pytest.mark.parametrize("case", ["celery-keda-pgbouncer", "local-postgres"])
def test_with_every_secret_named_no_secret_and_no_helm_hook_is_rendered(case, stand_in):
    for item in rendered_case(stand_in, case).manifests:
        assert item["kind"] != "Secret"
        assert "helm.sh/hook" not in (item["metadata"].get("annotations") or {})


@pytest.mark.few(2)
@pytest.mark.parametrize("case", [case for case in CASES if case not in NAMED])
def test_every_other_case_renders_too(case, stand_in):
    kinds = {item["kind"] for item in rendered_case(stand_in, case).manifests}
    assert {"ConfigMap", "Deployment", "Service", "ServiceAccount"} <= kinds


def test_without_values_the_same_fields_are_random_as_in_the_official_chart(stand_in):
    found = randomness(request_for(stand_in, {}))
    checksum = "spec.template.metadata.annotations.checksum/jwt-secret"
    assert {(item.resource.name, item.field) for item in found} == {
        ("airflow-fernet-key", "data.fernet-key"),
        ("airflow-api-secret-key", "data.api-secret-key"),
        ("airflow-jwt-secret", "data.jwt-secret"),
        ("airflow-redis-password", "data.password"),
        ("airflow-broker-url", "data.connection"),
        ("airflow-api-server", checksum),
        ("airflow-scheduler", checksum),
    }


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("executor", "kinds"),
    [
        ("LocalExecutor", {"scheduler": "StatefulSet"}),
        ("CeleryExecutor", {"scheduler": "Deployment", "worker": "StatefulSet"}),
        ("KubernetesExecutor", {"scheduler": "Deployment"}),
    ],
)
def test_the_executor_decides_what_runs(executor, kinds, stand_in):
    found = {
        item["metadata"]["labels"]["component"]: item["kind"]
        for item in rendered(stand_in, {"executor": executor}).manifests
        if item["kind"] in ("Deployment", "StatefulSet")
        and "component" in item["metadata"]["labels"]
    }
    chosen = {name: kind for name, kind in found.items() if name in ("scheduler", "worker")}
    assert chosen == kinds


def test_accounts_follow_the_standard_names_and_objects_the_release(stand_in):
    found = objects(rendered(stand_in, {}, release="rel"))
    scheduler = found["Deployment", "rel-scheduler"]
    assert scheduler["spec"]["template"]["spec"]["serviceAccountName"] == "rel-airflow-scheduler"
    assert ("ServiceAccount", "rel-airflow-scheduler") in found
    standard = objects(rendered(stand_in, {"useStandardNaming": True}, release="rel"))
    assert ("Deployment", "rel-airflow-scheduler") in standard


def test_a_changed_configuration_changes_the_checksum_of_the_pods(stand_in):
    def checksum(values):
        found = objects(rendered(stand_in, values))["Deployment", "airflow-dag-processor"]
        return found["spec"]["template"]["metadata"]["annotations"]["checksum/airflow-config"]

    changed = {"config": {"core": {"parallelism": "7"}}}
    assert checksum({}) == checksum({}) != checksum(changed)


def test_the_defaults_are_no_old_keys(stand_in):
    messages = [item.message for item in rendered_case(stand_in, None).problems]
    assert not any("workers." in message for message in messages)


def test_old_keys_are_warned_of(stand_in):
    warnings = rendered(
        stand_in, {"workers": {"replicas": 3}, "enableServiceLinks": False}
    ).problems
    messages = {warning.message: warning.hint for warning in warnings}
    assert messages["`workers.replicas` is deprecated"] == "use `workers.celery.replicas`"
    assert not any("enableServiceLinks" in message for message in messages)


FAILURES = {
    "old Airflow": {"airflowVersion": "2.10.0"},
    "no version": {"airflowVersion": "main"},
    "two executors": {"config": {"core": {"executor": "LocalExecutor"}}},
    "PostgreSQL's old keys": {"postgresql": {"postgresqlUsername": "x"}},
    "password without URL": {"redis": {"passwordSecretName": "x"}},
    "two passwords": {
        "redis": {"passwordSecretName": "x", "password": "y"},
        "data": {"brokerUrlSecretName": "z"},
    },
    "no broker": {"redis": {"enabled": False}},
    "two brokers": {"data": {"brokerUrl": "redis://x", "brokerUrlSecretName": "z"}},
    "two searches": {
        "elasticsearch": {"enabled": True, "secretName": "x"},
        "opensearch": {"enabled": True, "secretName": "x"},
    },
    "search without address": {"opensearch": {"enabled": True}},
    "a template in a value": {"config": {"core": {"x": "{{ ti.xcom }}"}}},
}

SCHEMA_FAULTS = {
    "unknown key": ({"scheduler": {"replica": 3}}, "scheduler"),
    "flower image digest": ({"images": {"flower": {"digest": "sha256:1"}}}, "images"),
    "number for a tag": ({"images": {"airflow": {"tag": 1234}}}, "images"),
    "null in config": ({"config": {"core": {"x": None}}}, "config"),
    "extraEnv as a map": ({"extraEnv": {"A": "b"}}, "extraEnv"),
    "fieldRef in env": (
        {"scheduler": {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}},
        "scheduler",
    ),
    "space between executors": ({"executor": "LocalExecutor, CeleryExecutor"}, "executor"),
    "class without value": ({"priorityClasses": [{"name": "a"}]}, "priorityClasses"),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("why", FAILURES)
def test_combinations_that_cannot_work_fail(why, stand_in):
    assert refused(stand_in, FAILURES[why]).kind == "template"


@pytest.mark.few(2)
@pytest.mark.parametrize("why", SCHEMA_FAULTS)
def test_closed_sections_and_types_are_refused_by_the_schema(why, stand_in):
    values, key = SCHEMA_FAULTS[why]
    failure = refused(stand_in, values)
    assert failure.kind == "schema"
    assert any(fault.values_key.startswith(key) for fault in failure.faults)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "values",
    [
        {"apiserver": {"replicas": 3}},
        {"workers": {"celery": {"replica": 3}}},
        {"scheduler": {"securityContexts": {"containers": {"runAsUser": 1}}}},
    ],
)
def test_open_sections_take_unknown_keys_without_a_word(values, stand_in):
    plain = rendered(stand_in, {"apiSecretKey": "a", "jwtSecret": "b"})
    other = rendered(stand_in, {"apiSecretKey": "a", "jwtSecret": "b", **values})
    assert objects(plain).keys() == objects(other).keys()


# The official chart, where it is in the cache.


@pytest.mark.few(1)
@pytest.mark.real_chart
@pytest.mark.parametrize("case", [*CASES, None])
def test_it_renders_what_the_official_chart_renders(case, stand_in, real_chart):
    official, own = rendered_case(real_chart, case), rendered_case(stand_in, case)
    assert list(differences(essence(official.manifests), essence(own.manifests))) == []
    assert len(official.manifests) == len(own.manifests)


@pytest.mark.few(1)
@pytest.mark.real_chart
@pytest.mark.parametrize("standard", [True, False])
@pytest.mark.parametrize("case", ["celery-kubernetes", "worker-sets-and-default"])
def test_names_follow_another_release_as_in_the_official_chart(
    case, standard, stand_in, real_chart
):
    values = {**values_of(case), "useStandardNaming": standard}
    official = essence(rendered(real_chart, values, "flow", "team-a").manifests)
    own = essence(rendered(stand_in, values, "flow", "team-a").manifests)
    assert list(differences(official, own)) == []


@pytest.mark.few(1)
@pytest.mark.real_chart
@pytest.mark.parametrize("why", FAILURES)
def test_what_fails_here_fails_in_the_official_chart(why, real_chart):
    assert refused(real_chart, FAILURES[why]).kind == "template"


@pytest.mark.few(2)
@pytest.mark.real_chart
@pytest.mark.parametrize("case", CASES)
def test_the_same_keys_are_warned_of(case, stand_in, real_chart):
    def warned(chart):
        return {(item.rule, item.message) for item in rendered_case(chart, case).problems}

    official = warned(real_chart)
    unused = {message for _, message in official if message.endswith(".tls` is deprecated")}
    assert {item for item in official if item[1] not in unused} == warned(stand_in)


@pytest.mark.real_chart
def test_the_defaults_are_the_official_ones(real_chart):
    own = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    official = yaml.safe_load(unpack(real_chart.read_bytes())["values.yaml"])
    assert own.keys() == official.keys()
    differing = set(_differing(official, own))
    assert {path for path in differing if not path.startswith("config.")} == OWN_WORDS


def _differing(official, own, path=""):
    if isinstance(official, dict) and isinstance(own, dict):
        for key in official.keys() | own.keys():
            below = f"{path}.{key}" if path else key
            yield from _differing(official.get(key), own.get(key), below)
    elif official != own:
        yield path


@pytest.mark.real_chart
def test_the_schema_closes_the_same_sections_with_the_same_keys(real_chart):
    official = json.loads(unpack(real_chart.read_bytes())["values.schema.json"])
    own = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    compared = list(_sections((official, official), (own, own)))
    assert len(compared) > 300
    assert [item for item in compared if item[1] != item[2]] == []


def _sections(official, own, path=""):
    """Path, and for both schemas whether that section is closed and its keys.

    Each schema comes with its root, for references; Kubernetes' own types are not entered.
    """
    if "io.k8s" in official[0].get("$ref", ""):
        return
    (section, root), (twin, own_root) = map(_resolved, (official, own))
    keys = section.get("properties") or {}
    own_keys = twin.get("properties") or {}
    yield path, _shape(section), _shape(twin)
    for key in sorted(keys.keys() & own_keys.keys()):
        yield from _sections((keys[key], root), (own_keys[key], own_root), f"{path}.{key}")


def _resolved(schema):
    section, root = schema
    while "$ref" in section:
        section = root["definitions"][section["$ref"].rpartition("/")[2]]
    return section, root


def _shape(section):
    return section.get("additionalProperties") is False, sorted(section.get("properties") or {})
