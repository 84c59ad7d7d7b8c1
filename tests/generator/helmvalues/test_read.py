"""Values found in files of every shape that teams keep them in."""

import re
import textwrap
from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.core.files import Snapshot, WorkTree
from generator.helmvalues.chart_kind import shape_of
from generator.helmvalues.layers import parameter_path, parameter_value
from generator.helmvalues.read import load, load_together
from generator.yaml.errors import YamlError


def files(texts):
    return Snapshot({name: textwrap.dedent(text).encode() for name, text in texts.items()})


def one(texts, path=None):
    [source] = load(files(texts), path or next(iter(texts)))
    return source


def test_a_plain_values_file_keeps_its_lines():
    source = one({"v.yaml": "executor: LocalExecutor\nscheduler:\n  replicas: 2\n"})
    assert source.kind == "values"
    assert source.values == {"executor": "LocalExecutor", "scheduler": {"replicas": 2}}
    assert source.locate(("scheduler", "replicas")) == ("v.yaml", 3)
    assert source.locate(("scheduler", "resources", "limits")) == ("v.yaml", 2)
    assert source.locate(("dags",)) == ("v.yaml", None)


def test_values_are_read_as_helm_does_and_doubts_are_told():
    source = one({"v.yaml": 'a: y\nb: "y"\nc: 12\n'})
    assert source.values == {"a": True, "b": "y", "c": 12}
    [problem] = source.problems
    assert (problem.rule, problem.line) == ("values/ambiguous-scalar", 1)


def test_an_empty_file_holds_nothing():
    [problem] = one({"v.yaml": "# nothing\n"}).problems
    assert problem.rule == "values/no-values"


def test_another_kind_of_object_is_named():
    source = one({"d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"})
    assert not source.usable
    assert "Deployment" in source.problems[0].message


def test_a_list_is_no_values():
    source = one({"v.yaml": "- a\n- b\n"})
    assert not source.usable
    assert source.problems[0].rule == "values/no-values"


def test_a_missing_file_and_broken_yaml_are_errors_with_a_place():
    with pytest.raises(UserError) as missing:
        load(files({}), "v.yaml")
    assert missing.value.path == "v.yaml"
    with pytest.raises(YamlError) as broken:
        load(files({"v.yaml": "a: 1\nb: [\n"}), "v.yaml")
    assert broken.value.line


def test_an_umbrella_chart_is_unwrapped():
    source = one(
        {"v.yaml": "airflow:\n  executor: LocalExecutor\n  webserver: {}\nother: {a: 1}\n"}
    )
    assert source.key == "airflow"
    assert source.values == {"executor": "LocalExecutor", "webserver": {}}
    assert source.locate(("executor",)) == ("v.yaml", 2)


APPLICATION = """\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: flow, namespace: argocd}
    spec:
      destination: {namespace: data, server: https://kubernetes.default.svc}
      source:
        repoURL: https://airflow.apache.org
        chart: airflow
        targetRevision: 1.22.0
        helm:
    """


def application(helm):
    return textwrap.dedent(APPLICATION) + textwrap.indent(textwrap.dedent(helm), "      ")


def test_an_application_tells_release_namespace_and_chart():
    source = one({"app.yaml": application("valuesObject: {executor: LocalExecutor}\n")})
    assert (source.kind, source.engine) == ("Application", "argocd")
    assert (source.release, source.namespace, source.chart_version) == ("flow", "data", "1.22.0")
    assert source.values == {"executor": "LocalExecutor"}


def test_the_release_name_of_an_application_may_be_given():
    source = one({"app.yaml": application("releaseName: airflow\nvalues: 'a: 1'\n")})
    assert source.release == "airflow"


def test_a_range_of_chart_versions_is_no_version():
    text = application("values: 'a: 1'\n").replace("1.22.0", "1.*")
    assert one({"app.yaml": text}).chart_version == ""


def test_values_as_text_keep_the_line_of_the_outer_file():
    text = application("values: |\n  executor: LocalExecutor\n  scheduler:\n    replicas: 2\n")
    source = one({"app.yaml": text})
    assert source.values["scheduler"] == {"replicas": 2}
    file, line = source.locate(("scheduler", "replicas"))
    assert text.splitlines()[line - 1].strip() == "replicas: 2"
    assert file == "app.yaml"


def test_broken_yaml_inside_the_text_is_named_with_the_outer_line():
    text = application("values: |\n  a: 1\n  b: [\n")
    with pytest.raises(YamlError) as error:
        load(files({"app.yaml": text}), "app.yaml")
    assert error.value.path == "app.yaml"
    assert error.value.line >= text.splitlines().index("        b: [") + 1


def test_parameters_win_over_values_object_over_files_and_text_beside_it_counts_for_nothing():
    helm = """\
        valueFiles: [/v.yaml]
        values: |
          b: values
          c: values
          d: values
        valuesObject: {c: object, d: object}
        parameters:
          - {name: d, value: parameter}
        """
    text = application(helm).replace("chart: airflow", "path: charts/airflow")
    source = one({"app.yaml": text, "v.yaml": "a: file\nb: file\nc: file\nd: file\n"})
    assert source.values == {"a": "file", "b": "file", "c": "object", "d": "parameter"}
    assert source.locate(("a",)) == ("v.yaml", 1)
    lines = text.splitlines()
    assert "parameter}" in lines[source.locate(("d",))[1] - 1]
    assert source.locate(("b",)) == ("v.yaml", 2)


def test_parameters_are_typed_as_helm_set_does():
    helm = """\
        parameters:
          - {name: scheduler.replicas, value: "3"}
          - {name: images.airflow.tag, value: "3", forceString: true}
          - {name: 'podAnnotations.a\\.b/c', value: "true"}
          - {name: 'env[0].name', value: A}
          - {name: list, value: "{a,1}"}
        """
    source = one({"app.yaml": application(helm)})
    assert source.values == {
        "scheduler": {"replicas": 3},
        "images": {"airflow": {"tag": "3"}},
        "podAnnotations": {"a.b/c": True},
        "env": [{"name": "A"}],
        "list": ["a", 1],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null", None),
        ("0", 0),
        ("-4", -4),
        ("010", "010"),
        ("1.5", "1.5"),
        ("", ""),
    ],
)
def test_parameter_values(text, value):
    assert parameter_value(text) == value


def test_a_parameter_with_a_giant_index_does_not_eat_the_memory():
    helm = "parameters:\n  - {name: 'a[999999999]', value: x}\n"
    assert one({"app.yaml": application(helm)}).values == {"a": []}


def test_parameter_paths():
    assert parameter_path(r"a.b\.c[0][1].d") == ("a", "b.c", 0, 1, "d")


MULTI = """\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: airflow}
    spec:
      destination: {namespace: airflow}
      sources:
        - repoURL: https://airflow.apache.org
          chart: airflow
          targetRevision: 1.22.0
          helm:
            valueFiles: [FILE]
        - repoURL: https://git.example.com/x.git
          ref: repo
    """


def test_a_ref_is_resolved_inside_the_repository():
    texts = {"app.yaml": MULTI.replace("FILE", "$repo/envs/v.yaml"), "envs/v.yaml": "a: 1\n"}
    source = one(texts)
    assert source.values == {"a": 1}
    assert source.locate(("a",)) == ("envs/v.yaml", 1)
    assert source.not_read == ()


@pytest.mark.parametrize(
    "name",
    [
        "$repo/../../etc/passwd",
        "$repo/missing.yaml",
        "$other/v.yaml",
        "https://example.com/v.yaml",
        "values-own.yaml",
        "$repo/envs/*.yaml",
        "/v.yaml",
    ],
)
def test_what_is_not_in_the_repository_is_told_and_not_followed(name):
    texts = {"app.yaml": MULTI.replace("FILE", name), "envs/v.yaml": "a: 1\n", "v.yaml": "b: 1\n"}
    source = one(texts)
    assert source.values == {}
    assert [item.what for item in source.not_read] == [f"values file {name}"]
    assert source.partial
    assert source.usable


def test_a_missing_file_that_may_be_missing_is_fine():
    text = MULTI.replace(
        "valueFiles: [FILE]", "{valueFiles: [$repo/no.yaml], ignoreMissingValueFiles: true}"
    )
    text = text.replace("helm:\n            {", "helm: {")
    source = one({"app.yaml": text})
    assert source.not_read == ()


def test_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside.yaml"
    outside.write_text("password: s3cr3t\n")
    root = tmp_path / "repo"
    (root / "envs").mkdir(parents=True)
    (root / "envs" / "v.yaml").symlink_to(outside)
    (root / "app.yaml").write_text(textwrap.dedent(MULTI.replace("FILE", "$repo/envs/v.yaml")))
    [source] = load(WorkTree(root), "app.yaml")
    assert source.values == {}
    assert source.not_read
    with pytest.raises(UserError):
        load(WorkTree(root), "envs/v.yaml")


def test_several_documents_give_several_releases():
    two = application("values: 'a: 1'\n")
    texts = {"apps.yaml": f"{two}---\n{two.replace('name: flow', 'name: other')}"}
    assert [source.release for source in load(files(texts), "apps.yaml")] == ["flow", "other"]


def test_a_skipped_schema_check_is_a_problem():
    [problem] = one(
        {"a.yaml": application("releaseName: flow\nvalues: 'a: 1'\nskipSchemaValidation: true\n")}
    ).problems
    assert problem.rule == "values/schema-skipped"


def test_an_application_whose_release_follows_its_name_is_told():
    source = one({"a.yaml": application("values: 'a: 1'\n")})
    assert source.usable and source.release == "flow"
    (problem,) = source.problems
    assert (problem.rule, problem.path) == ("application/release-name", "a.yaml") and problem.line
    assert one({"a.yaml": application("releaseName: flow\nvalues: 'a: 1'\n")}).problems == ()


def test_an_application_set_is_read_from_its_template():
    text = """\
        apiVersion: argoproj.io/v1alpha1
        kind: ApplicationSet
        metadata: {name: all}
        spec:
          generators: [{list: {elements: []}}]
          template:
            metadata: {name: '{{name}}-airflow'}
            spec:
              destination: {namespace: airflow}
              source: {repoURL: r, chart: airflow, helm: {valuesObject: {a: 1}}}
        """
    source = one({"set.yaml": text})
    assert (source.kind, source.values) == ("ApplicationSet", {"a": 1})
    assert source.not_read


SET = """\
    apiVersion: argoproj.io/v1alpha1
    kind: ApplicationSet
    metadata: {name: all}
    spec:
      goTemplate: %s
      generators: [{list: {elements: [%s, {name: prod, size: {cpu: "4"}}]}}]
      template:
        metadata: {name: 'af-%s'}
        spec:
          destination: {namespace: airflow}
          source:
            repoURL: https://airflow.apache.org
            chart: airflow
            targetRevision: 1.22.0
            helm:
              releaseName: airflow
              values: |
                a: 1
                cpu: %s
    """


@pytest.mark.parametrize(
    ("go", "name", "cpu"),
    [("true", "{{ .name }}", "{{.size.cpu}}"), ("false", "{{name}}", "{{ size.cpu }}")],
)
def test_a_list_generator_gives_one_application_for_each_element(go, name, cpu):
    text = SET % (go, '{name: dev, size: {cpu: "2"}}', name, cpu)
    found = load(files({"set.yaml": text}), "set.yaml")
    assert [(item.name, item.values) for item in found] == [
        ("af-dev", {"a": 1, "cpu": 2}),
        ("af-prod", {"a": 1, "cpu": 4}),
    ]
    assert not any(item.not_read for item in found) and found[0].locate(("cpu",))[1] == 19


@pytest.mark.parametrize(
    ("element", "name", "cpu"),
    [
        ("{name: dev, size: {cpu: [2]}}", "{{ .name }}", "{{ .size.cpu }}"),
        ("{name: dev}", "{{ .name }}", "{{ .size.cpu }}"),
        ('{name: dev, size: {cpu: "{{ .x }}"}}', "{{ .name }}", "{{ .size.cpu }}"),
        ('{name: dev, size: {cpu: "2"}}', "{{ .name | lower }}", "{{ .size.cpu }}"),
        ('{name: dev, size: {cpu: "2"}}]}}, {git: {directories: [x', "{{ .name }}", "2"),
        ("{name: dev}], template: {metadata: {}}, elements_: [x", "{{ .name }}", "2"),
    ],
)
def test_what_an_element_does_not_say_as_plain_text_stays_a_placeholder(element, name, cpu):
    source = one({"set.yaml": SET % ("true", element, name, cpu)})
    assert source.name == f"af-{name}"


RELEASE = """\
    apiVersion: helm.toolkit.fluxcd.io/VERSION
    kind: HelmRelease
    metadata: {name: flow, namespace: data}
    spec:
      chart: {spec: {chart: airflow, version: 1.22.0}}
      valuesFrom: [{kind: Secret, name: airflow-values}]
      values:
        executor: LocalExecutor
    """


@pytest.mark.parametrize("version", ["v2", "v2beta1", "v2beta2"])
def test_a_helm_release_of_every_version(version):
    source = one({"hr.yaml": RELEASE.replace("VERSION", version)})
    assert (source.kind, source.engine) == ("HelmRelease", "flux")
    assert (source.release, source.namespace, source.chart_version) == ("flow", "data", "1.22.0")
    assert source.locate(("executor",)) == ("hr.yaml", 8)
    assert "Secret airflow-values" in source.not_read[0].what


def test_flux_puts_the_target_namespace_into_the_release_name():
    text = RELEASE.replace("VERSION", "v2").replace(
        "spec:\n", "spec:\n      targetNamespace: prod\n", 1
    )
    source = one({"hr.yaml": text})
    assert (source.release, source.namespace) == ("prod-flow", "prod")


def test_flux_without_waiting_runs_hooks_as_helm_does():
    more = "spec:\n      install: {disableWait: true}\n      upgrade: {disableWait: true}\n"
    text = RELEASE.replace("VERSION", "v2").replace("spec:\n", more, 1)
    assert one({"hr.yaml": text}).engine == "helm"


def test_layers_of_plain_values_stack_as_helm_does():
    texts = {"a.yaml": "x: 1\nz: {a: 1, b: 2}\n", "b.yaml": "x: 2\nz: {a: null}\n"}
    source = load_together(files(texts), ["a.yaml", "b.yaml"])
    assert source.values == {"x": 2, "z": {"a": None, "b": 2}}
    assert source.locate(("z", "b")) == ("a.yaml", 2)
    assert source.locate(("x",)) == ("b.yaml", 1)


COMMUNITY = {
    "airflow": {"legacyCommands": False, "image": {"tag": "2.8.4"}, "executor": "CeleryExecutor"},
    "web": {"replicas": 1},
    "externalDatabase": {"type": "postgres"},
}
BITNAMI = {
    "auth": {"username": "user", "fernetKey": "x"},
    "dags": {"enabled": True, "repositories": []},
    "web": {"image": {"registry": "docker.io"}},
    "externalDatabase": {},
}


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (COMMUNITY, "community"),
        ({"airflow": {"executor": "CeleryExecutor", "config": {}}, "web": {}}, "community"),
        (BITNAMI, "bitnami"),
        ({"global": {"imageRegistry": "r"}, "web": {}, "worker": {}}, "bitnami"),
        ({}, "official"),
        ({"executor": "CeleryExecutor", "web": {"service": {}}}, "official"),
        ({"defaultUser": {}, "webserver": {}, "scheduler": {}}, "official"),
        ({"airflow": {"executor": "LocalExecutor", "webserver": {}, "dags": {}}}, "umbrella"),
        ({"images": {}, "data": {}, "externalDatabase": {}, "web": {}}, "official"),
    ],
)
def test_charts_are_told_apart_by_their_shape(values, shape):
    assert shape_of(values) == shape


def test_another_chart_is_declined_with_a_pointer():
    text = "airflow: {legacyCommands: true, image: {tag: x}}\nweb: {}\n"
    source = one({"v.yaml": text})
    assert not source.usable
    [problem] = source.problems
    assert problem.rule == "values/other-chart"
    page = re.search(r"docs/[\w-]+\.md", problem.hint)[0]
    assert (Path(__file__).parents[3] / page).is_file()
    assert "airflow.apache.org" in problem.hint


def test_placeholders_in_the_names_of_release_and_namespace_have_a_stand_in_and_are_told():
    text = """
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: "airflow-${CLUSTER}", namespace: "${TEAM:=data}"}
        spec:
          chart:
            spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: a}}
          values: {executor: LocalExecutor}
        """
    source = one({"release.yaml": text})
    assert (source.release, source.namespace) == ("airflow-stand-in", "data")
    whats = {item.what for item in source.not_read}
    assert "placeholder ${CLUSTER} in the release" in whats
    assert "placeholder ${TEAM:=data} in the namespace" in whats
