"""Every field of what people have is read, carried over, without effect, or refused by name."""

import textwrap

import pytest

from generator.core.files import Snapshot
from generator.helmvalues import fields, placeholders
from generator.helmvalues.fields import BY_KIND, Field, Use
from generator.helmvalues.read import load

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: flow, namespace: argocd}
spec:
  project: default
  destination: {namespace: data, server: "https://kubernetes.default.svc"}
  source:
    repoURL: https://airflow.apache.org
    chart: airflow
    targetRevision: 1.22.0
    helm: {releaseName: flow, valuesObject: {executor: LocalExecutor}}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: flow, namespace: data}
spec:
  interval: 1h
  chart: {spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: a}}}
  values: {executor: LocalExecutor}
"""


def releases(text, path="app.yaml", **files):
    contents = {path: textwrap.dedent(text).encode()}
    contents |= {name: text.encode() for name, text in files.items()}
    return load(Snapshot(contents), path)


def unread(text, **files):
    [found] = releases(text, **files)
    return {item.what: item.where for item in found.not_read}


def leaves(table):
    for entry in table.values():
        yield from [entry] if isinstance(entry, Field) else leaves(entry)


def test_whatever_is_not_read_or_lost_has_a_reason():
    for table in BY_KIND.values():
        for entry in leaves(table):
            assert bool(entry.reason) == (entry.use in (Use.UNREAD, Use.LOST))


@pytest.mark.parametrize("text", [APPLICATION, RELEASE])
def test_a_plain_release_is_read_whole(text):
    assert unread(text) == {}


@pytest.mark.parametrize(
    "line",
    [
        "sourceHydrator: {drySource: {repoURL: r}}",
        "fieldOfNextYear: {a: 1}",
    ],
)
def test_a_field_of_an_application_that_is_not_read_is_named_with_its_line(line):
    name = f"spec.{line.partition(':')[0]}"
    assert unread(f"{APPLICATION}  {line}\n") == {name: "app.yaml:12"}


@pytest.mark.parametrize(
    "line",
    [
        "postRenderers: [{kustomize: {patches: []}}]",
        "commonMetadata: {labels: {a: b}}",
        "someday: true",
    ],
)
def test_a_field_of_a_helm_release_that_is_not_read_is_named_with_its_line(line):
    name = f"spec.{line.partition(':')[0]}"
    assert unread(f"{RELEASE}  {line}\n") == {name: "app.yaml:8"}


def test_an_empty_field_says_nothing():
    text = f"{RELEASE}  postRenderers: []\n  commonMetadata: {{}}\n  suspend: false\n"
    assert unread(text) == {}


def test_nested_fields_are_named_with_their_path():
    text = RELEASE.replace("{chart: airflow,", "{chart: airflow, valuesFiles: [prod.yaml],")
    assert list(unread(text)) == ["spec.chart.spec.valuesFiles"]
    text = f"{RELEASE}  install: {{disableHooks: true, crds: Skip}}\n"
    assert list(unread(text)) == ["spec.install.disableHooks"]
    text = APPLICATION.replace("{releaseName: flow,", "{fileParameters: [{name: a, path: b}],")
    assert list(unread(text)) == ["spec.source.helm.fileParameters"]


def several(*sources):
    rows = "".join(f"    - {row}\n" for row in sources)
    head = APPLICATION[: APPLICATION.index("  source:")]
    return f"{head}  sources:\n{rows}"


CHART = (
    "{repoURL: https://airflow.apache.org, chart: airflow, targetRevision: 1.22.0,"
    " helm: {releaseName: flow, valuesObject: {executor: LocalExecutor}}}"
)


def test_another_source_is_named_and_one_for_values_is_not():
    extra = "{repoURL: https://git.example.com/x.git, path: extras/flow, targetRevision: main}"
    ref = "{repoURL: https://git.example.com/x.git, ref: values, targetRevision: main}"
    assert list(unread(several(CHART, extra))) == ["spec.sources[1]"]
    assert unread(several(ref, CHART)) == {}


def test_only_applications_of_airflows_chart_are_judged():
    other = APPLICATION.replace("chart: airflow", "chart: harbor").replace("flow", "registry")
    both = f"{other.replace('airregistry', 'airflow')}---\n{APPLICATION}"
    assert [item.name for item in releases(both)] == ["flow"]
    [alone] = releases(other)
    assert not alone.usable
    assert "names Airflow's chart" in alone.problems[0].message


def test_a_path_elsewhere_is_not_known_to_be_airflows_chart():
    text = APPLICATION.replace("    chart: airflow\n", "    path: charts/flow\n")
    [named] = releases(text)
    assert [item.what for item in named.not_read] == ["chart of path charts/flow"]
    assert named.identified, "its values speak for the chart"
    silent = text.replace("executor: LocalExecutor", "replicas: 1")
    assert not releases(silent)[0].identified


def test_the_chart_of_a_path_is_read_where_it_is():
    text = APPLICATION.replace("    chart: airflow\n", "    path: charts/flow\n")
    chart = (
        "apiVersion: v2\nname: flow\nversion: 1.0.0\ndependencies:\n"
        "- {name: airflow, version: 1.20.0, repository: https://airflow.apache.org, alias: up}\n"
    )
    text = text.replace("valuesObject: {executor", "valuesObject: {up: {executor").replace(
        "LocalExecutor}}", "LocalExecutor}}}"
    )
    [found] = releases(text, **{"charts/flow/Chart.yaml": chart})
    assert (found.key, found.chart_version) == ("up", "1.20.0")
    assert found.values == {"executor": "LocalExecutor"}


def test_flux_finds_its_chart_through_a_source_in_the_same_file():
    start, end = RELEASE.index("chart: {spec"), RELEASE.index("  values:")
    text = f"{RELEASE[:start]}chartRef: {{kind: OCIRepository, name: airflow}}\n{RELEASE[end:]}"
    assert list(unread(text)) == ["chartRef OCIRepository airflow"]
    source = (
        "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\n"
        "metadata: {name: airflow}\n"
        "spec: {url: oci://registry.example.com/charts/airflow, ref: {tag: 1.20.0}}\n"
    )
    [found] = releases(text + source)
    assert (found.chart_version, found.not_read) == ("1.20.0", ())


def test_a_range_is_no_version_and_said():
    for text in (APPLICATION, RELEASE):
        [found] = releases(text.replace("1.22.0", "1.13.*"))
        assert not found.chart_version and found.parent.range == "1.13.*"
        assert [item.what for item in found.not_read] == ["chart version"]


def test_placeholders_are_named_and_stand_ins_judged():
    text = RELEASE.replace("{executor: LocalExecutor}", "{executor: '${EXECUTOR}', uid: 1}")
    assert list(unread(text)) == ["placeholder ${EXECUTOR}"]
    script = RELEASE.replace(
        "{executor: LocalExecutor}", "\n    extraEnv: |\n      - name: A\n        value: ${A}\n"
    )
    assert unread(script) == {}
    assert unread(APPLICATION.replace("LocalExecutor", "'{{ .Release.Name }}'")) == {}


def test_a_stand_in_has_the_type_that_the_chart_expects():
    defaults = {"uid": 50000, "statsd": {"enabled": True}, "executor": "CeleryExecutor"}
    values = {
        "uid": "${UID}",
        "statsd": {"enabled": "${STATSD:=false}"},
        "executor": "${EXECUTOR}",
        "data": ["postgresql://${HOST:-db}/airflow", "$${LITERAL}"],
    }
    assert placeholders.filled(values, defaults, "HelmRelease") == {
        "uid": 50000,
        "statsd": {"enabled": False},
        "executor": "CeleryExecutor",
        "data": ["postgresql://db/airflow", "$${LITERAL}"],
    }
    literal = {"data": values["data"], "env": [{"name": "A", "value": "$(B)"}]}
    assert placeholders.filled(literal, defaults, "Application") == literal


def test_a_kustomization_beside_it_that_may_change_it_is_named():
    changing = "resources: [app.yaml]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: a}]\n"
    assert unread(APPLICATION, **{"kustomization.yaml": changing}) == {
        "patches of the Kustomization": "kustomization.yaml:2"
    }
    harmless = "resources: [app.yaml]\n"
    assert unread(APPLICATION, **{"kustomization.yaml": harmless}) == {}
    elsewhere = "resources: [other.yaml]\npatches: [{path: p.yaml}]\n"
    assert unread(APPLICATION, **{"kustomization.yaml": elsewhere}) == {}


def test_a_path_in_a_document_is_written_as_people_do():
    assert fields.dotted(("spec", "sources", 1, "helm")) == "spec.sources[1].helm"
