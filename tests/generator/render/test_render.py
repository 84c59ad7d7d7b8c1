import json

import pytest

from generator.chart.archive import unpack
from generator.core.errors import UserError
from generator.core.problem import Severity
from generator.render.engine import SdkEngine, choose_engine
from generator.render.request import (
    Fault,
    RenderFailure,
    RenderResult,
    canonical,
    leaves,
)
from generator.render.worker import Limits
from tests.generator.chart.samples import CHART, FILES, archive_of, write
from tests.generator.render.samples import ENGINES, names, request


@pytest.fixture
def chart(tmp_path):
    return write(tmp_path)


def by_name(result):
    return {m["metadata"]["name"]: m for m in result.manifests}


@pytest.mark.parametrize("engine", ENGINES)
def test_objects_come_in_their_one_order_without_notes_tests_and_unknown_hooks(chart, engine):
    result = engine().render(request(chart))
    assert isinstance(result, RenderResult)
    assert names(result) == [
        "ServiceAccount/airflow-scheduler",
        "Secret/airflow-api-secret-key",
        "ConfigMap/airflow-config",
        "Deployment/airflow-scheduler",
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_release_namespace_kubernetes_and_api_versions_reach_the_templates(chart, engine):
    objects = by_name(
        engine().render(request(chart, release="rel", namespace="ns", kube_version="1.33.1"))
    )
    assert objects["rel-scheduler"]["metadata"]["labels"]["kube"] == "v1.33.1"
    assert objects["rel-scheduler"]["metadata"]["namespace"] == "ns"
    assert objects["rel-config"]["data"]["keda"] == "true"
    assert objects["rel-config"]["data"]["phase"] == "true/false"
    without = by_name(engine().render(request(chart, api_versions=())))
    assert without["airflow-config"]["data"]["keda"] == "false"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_subchart_renders_where_its_condition_says_so(chart, engine):
    on = engine().render(request(chart, {"postgresql": {"enabled": True, "port": 5433}}))
    assert by_name(on)["airflow-postgresql"]["spec"]["ports"] == [{"port": 5433}]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("enabled", [False, True])
def test_crds_come_only_when_asked_for(chart, engine, enabled):
    values = {"postgresql": {"enabled": enabled}}
    assert not any(
        "CustomResource" in name for name in names(engine().render(request(chart, values)))
    )
    listed = names(engine().render(request(chart, values, include_crds=True)))
    crds = [name for name in listed if "CustomResource" in name]
    subchart = ["CustomResourceDefinition/subs.example.com"] if enabled else []
    assert crds == [*subchart, "CustomResourceDefinition/widgets.example.com"]


@pytest.mark.parametrize("engine", ENGINES)
def test_warnings_in_the_notes_become_problems(chart, engine):
    values = {"workers": {"replicas": 3}, "staticKey": "", "enableServiceLinks": None}
    result = engine().render(request(chart, values))
    assert [(p.rule, p.severity) for p in result.problems] == [
        ("chart/deprecated", Severity.WARNING),
        ("chart/deprecated", Severity.WARNING),
        ("chart/notes", Severity.WARNING),
    ]
    assert "`enableServiceLinks` is deprecated as it is set" in result.problems[0].message
    assert result.problems[1].message == "`workers.replicas` is deprecated"
    assert result.problems[1].hint == (
        "use `workers.celery.replicas` or `workers.kubernetes.replicas`"
    )
    assert result.problems[2].message == "You should set a static API secret key"


@pytest.mark.parametrize("engine", ENGINES)
def test_notes_are_kept_and_never_shown(chart, engine):
    result = engine().render(request(chart))
    assert "The password is postgres" in result.notes
    assert "password" not in repr(result)


@pytest.mark.parametrize("engine", ENGINES)
def test_values_that_the_schema_refuses_are_listed_one_by_one(chart, engine):
    values = {"executor": 3, "scheduler": {"replicas": "many", "zzz": 1}}
    failure = engine().render(request(chart, values))
    assert failure.kind == "schema"
    assert failure.faults == (
        Fault("executor", "got number, want string"),
        Fault("scheduler", "additional properties 'zzz' not allowed"),
        Fault("scheduler.replicas", "got string, want integer"),
    )
    rules = [(p.rule, p.message.split(":")[0]) for p in failure.problems(environment="dev")]
    assert rules == [
        ("chart/schema", "executor"),
        ("chart/schema", "scheduler"),
        ("chart/schema", "scheduler.replicas"),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_read_as_a_template_is_named_with_its_template(chart, engine):
    failure = engine().render(request(chart, {"config": {"core": "{{ ti.xcom }}"}}))
    assert (failure.kind, failure.values_key) == ("template", "config.core")
    assert (failure.template, failure.line) == ("airflow/templates/config.yaml", 8)
    assert 'function "ti" not defined' in failure.message
    assert "{{`{{`}}" in failure.hint


@pytest.mark.parametrize("engine", ENGINES)
def test_a_check_of_the_chart_that_fails_says_what_the_chart_says(chart, engine):
    values = {"executor": "DeadExecutor", "data": {"metadataConnection": {"pass": "canary"}}}
    failure = engine().render(request(chart, values))
    assert failure.message == "executor is dead, data.metadataConnection.pass is ******"
    assert failure.values_key == "data.metadataConnection.pass"
    assert (failure.template, failure.line) == ("airflow/templates/check-values.yaml", 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failure_in_the_notes_is_reported_under_their_name(chart, engine):
    failure = engine().render(request(chart, {"executor": "NotesExecutor"}))
    assert (failure.template, failure.message) == (
        "airflow/templates/NOTES.txt",
        "the notes refuse this",
    )
    assert (
        failure.line
        == FILES["templates/NOTES.txt"].splitlines().index('{{ fail "the notes refuse this" }}') + 1
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("extra", ["a: b: c", "a: [", "\tx: y", "a: *none"])
def test_output_that_is_not_yaml_names_its_template(chart, engine, extra):
    failure = engine().render(request(chart, {"extra": extra}))
    assert (failure.kind, failure.template) == ("yaml", "airflow/templates/config.yaml")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "text", ["foo: bar\n", "kind: Service\nmetadata: {name: x}\n", "- a\n", "words\n"]
)
def test_output_that_is_no_object_names_its_template(tmp_path, engine, text):
    path = write(tmp_path, {"templates/raw.yaml": text})
    failure = engine().render(request(path))
    assert (failure.kind, failure.template) == ("yaml", "airflow/templates/raw.yaml")
    assert "not a Kubernetes object" in failure.message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"release": "Airflow"}, "invalid release name"),
        ({"release": "a" * 54}, "invalid release name"),
        ({"release": "a_b"}, "invalid release name"),
        ({"release": "-x"}, "invalid release name"),
        ({"release": "--post-renderer=/bin/sh"}, "invalid release name"),
        ({"namespace": "a.b"}, "invalid namespace"),
        ({"namespace": "a" * 64}, "invalid namespace"),
        ({"kube_version": "latest"}, "invalid Kubernetes version"),
        ({"kube_version": "1.29.9"}, "needs Kubernetes >=1.30.0-0"),
        ({"api_versions": ("--x",)}, "invalid API version"),
    ],
)
def test_what_helm_template_would_refuse_is_refused(chart, engine, change, words):
    failure = engine().render(request(chart, **change))
    assert words in str(failure)


@pytest.mark.parametrize("release", ["a", "a.b-c", "a" * 53, "0"])
def test_every_release_name_that_helm_takes_is_taken(chart, release):
    assert isinstance(SdkEngine().render(request(chart, release=release)), RenderResult)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_dependency_is_refused_even_when_it_is_switched_off(tmp_path, engine):
    path = tmp_path / "airflow.tgz"
    path.write_bytes(archive_of({p: t for p, t in FILES.items() if not p.startswith("charts/")}))
    failure = engine().render(request(path))
    assert failure.kind == "chart"
    assert "postgresql" in failure.message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_a_broken_or_missing_archive_is_a_failure(tmp_path, engine, content):
    path = tmp_path / "airflow.tgz"
    if content:
        path.write_bytes(content)
    failure = engine().render(request(path))
    assert failure.kind == "chart"
    assert str(path) in failure.message


@pytest.mark.parametrize("engine", ENGINES)
def test_a_list_counts_as_what_it_holds(tmp_path, engine):
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Service, metadata: {name: one}}\n"
        "- {apiVersion: v1, kind: Service, metadata: {name: two}}\n"
    )
    path = write(tmp_path, {"templates/list.yaml": listed})
    assert {"Service/one", "Service/two"} <= set(names(engine().render(request(path))))


@pytest.mark.parametrize("engine", ENGINES)
def test_scalars_are_read_as_kubernetes_reads_them(tmp_path, engine):
    odd = (
        "apiVersion: v1\nkind: Odd\nmetadata: {name: odd}\n"
        "items: [y, 0440, 1e3, 5.0, 2024-01-01, 12:30, '0440', 0x10, ~, 1.5]\n1: one\n"
    )
    path = write(tmp_path, {"templates/odd.yaml": odd})
    found = by_name(engine().render(request(path)))["odd"]
    assert json.dumps(found["items"]) == json.dumps(
        [True, 288, 1000, 5, "2024-01-01", "12:30", "0440", 16, None, 1.5]
    )
    assert found["1"] == "one"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_block_of_text_ends_as_it_does_in_the_cluster(tmp_path, engine):
    block = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  text: |\n    x\n"
    both = block % "one" + "\n\n---\n" + block % "two" + "\n\n"
    objects = by_name(engine().render(request(write(tmp_path, {"templates/two.yaml": both}))))
    assert [objects[name]["data"]["text"] for name in ("one", "two")] == ["x\n", "x\n"]


@pytest.mark.parametrize("engine", ENGINES)
def test_null_takes_a_default_away(chart, engine):
    result = engine().render(request(chart, {"scheduler": {"replicas": None}}))
    assert by_name(result)["airflow-scheduler"].get("spec") in ({"replicas": None}, {})


@pytest.mark.few(1)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "bomb",
    [
        "{{ range $i := until 30000 }}{{ range until 30000 }}{{ end }}{{ end }}",
        '{{ repeat 900000000 "x" }}',
        "{{ range until 100000000 }}{{ end }}",
        '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
    ],
)
def test_a_value_that_never_ends_or_takes_all_memory_is_a_failure(chart, engine, bomb):
    limits = Limits(timeout=3, memory=512 << 20)
    failure = engine(limits=limits).render(request(chart, {"config": {"x": bomb}}))
    assert isinstance(failure, RenderFailure)
    assert failure.kind in ("limit", "template")
    assert "config.x" in failure.hint or failure.values_key == "config.x"


@pytest.mark.parametrize("engine", ENGINES)
def test_output_past_the_limit_is_a_failure(chart, engine):
    limits = Limits(output=10_000)
    failure = engine(limits=limits).render(request(chart, {"config": {"x": "y" * 20_000}}))
    assert (failure.kind, failure.message) == ("limit", "the output is larger than 0 MiB")


def test_values_are_written_the_same_whatever_their_order(chart):
    one, other = (
        request(chart, {"a": 1, "b": {"c": "ü", "d": None}}),
        request(chart, {"b": {"d": None, "c": "ü"}, "a": 1}),
    )
    assert one.values_json() == other.values_json()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        canonical({"x": value})


def test_the_values_of_a_request_are_not_shown(chart):
    assert "fixed" not in repr(request(chart))


def test_leaves_are_named_by_dotted_keys():
    found = dict(leaves({"env": [{"name": "A"}], "b": {"c": None}}))
    assert found == {"env[0].name": "A", "b.c": None}


def test_a_failure_without_faults_is_one_problem():
    failure = RenderFailure("template", "broken", template="a/templates/x.yaml", line=3, hint="h")
    (problem,) = failure.problems(environment="dev", path="environments/dev/environment.yaml")
    assert problem.rule == "render/template"
    assert problem.message == "a/templates/x.yaml:3: broken"
    assert (problem.environment, problem.hint) == ("dev", "h")


def test_an_engine_names_itself_and_its_version():
    assert SdkEngine().engine_version().startswith("helm-python-sdk 0.")
    assert isinstance(choose_engine(None), SdkEngine)


def test_a_binary_that_is_missing_or_not_helm_is_refused(tmp_path):
    with pytest.raises(UserError, match="not found"):
        choose_engine(str(tmp_path / "helm"))
    with pytest.raises(UserError, match="not a helm binary"):
        choose_engine("true")


def test_the_archive_given_is_left_alone(chart):
    before = chart.read_bytes()
    SdkEngine().render(request(chart))
    assert chart.read_bytes() == before
    assert unpack(before)["Chart.yaml"].decode() == CHART
