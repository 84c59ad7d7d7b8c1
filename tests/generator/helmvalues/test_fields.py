"""Every field of what people have is read, carried over, without effect, or refused by name."""

import textwrap
import time

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


# Beside a HelmRelease stands the source of its chart.
SOURCE = """\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: a}
spec: {url: https://airflow.apache.org}
"""


def releases(text, path="app.yaml", source=SOURCE, **files):
    more = f"\n{source}" if "HelmRelease" in text else ""
    contents = {path: f"{textwrap.dedent(text)}{more}".encode()}
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


def test_the_items_of_a_list_are_read_as_documents_are():
    for text in (APPLICATION, RELEASE):
        body = textwrap.indent(text, "    ").replace("    ", "  - ", 1)
        whole = f"apiVersion: v1\nkind: List\nitems:\n{body}"
        [found] = releases(whole.replace("executor: LocalExecutor", "executor: '${A}'"))
        assert found.release == "flow" and found.chart_version == "1.22.0"
        line = next(n for n, row in enumerate(whole.splitlines(), 1) if "executor" in row)
        assert found.locate(("executor",)) == ("app.yaml", line)


def test_a_list_of_one_kind_need_not_repeat_it():
    item = textwrap.indent(APPLICATION.partition("Application\n")[2], "    ")
    whole = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationList\nitems:\n  - \n" + item
    [found] = releases(whole)
    assert (found.kind, found.chart_version) == ("Application", "1.22.0")


def test_a_list_of_other_objects_is_no_values():
    [found] = releases("apiVersion: v1\nkind: List\nitems: []\n", source="")
    assert "the file holds List" in found.problems[0].message


@pytest.mark.parametrize("address", ["", "url: '${CHARTS}'", "type: oci"])
def test_a_chart_of_an_unknown_address_is_named(address):
    source = SOURCE.replace("url: https://airflow.apache.org", address) if address else ""
    [found] = releases(RELEASE, source=source)
    [item] = found.not_read
    assert item.what.startswith("address of") and item.where == "app.yaml:4"
    assert bool(item.hint) is ("url" not in address)


def test_an_address_that_is_filled_in_later_is_named():
    text = APPLICATION.replace("https://airflow.apache.org", "'{{ .charts }}'")
    text = text.replace("kind: Application", "kind: ApplicationSet")
    head, _, spec = text.partition("spec:\n")
    whole = (
        f"{head}spec:\n  generators: []\n  template:\n    spec:\n{textwrap.indent(spec, '    ')}"
    )
    assert "address of the chart" in unread(whole)


def test_a_chart_of_a_path_is_compared_with_its_git_repository():
    chart = "apiVersion: v2\nname: airflow\nversion: 1.22.0\ndependencies: [{name: postgresql}]\n"
    text = RELEASE.replace(
        "{chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository",
        "{chart: ./charts/flow, sourceRef: {kind: GitRepository",
    )
    source = SOURCE.replace("HelmRepository", "GitRepository").replace(
        "url: https://airflow.apache.org", "url: ssh://git@git.example.com/x, ref: {%s}"
    )
    folder = {"charts/flow/Chart.yaml": chart}
    for ref, revision in (
        ("", "master"), ("branch: main", "main"), ("branch: main, tag: v1", "v1"),
        ("tag: v1, semver: '>=1'", ">=1"), ("commit: abc, branch: main", "abc"),
    ):  # fmt: skip
        [found] = releases(text, source=source % ref, **folder)
        [item] = found.borrowed
        assert (item.path, item.revision) == ("charts/flow", revision)
        assert item.address == "ssh://git@git.example.com/x"
    assert "address of GitRepository a" in unread(text, source="", **folder)


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


@pytest.mark.parametrize(
    ("kind", "piece"),
    [("SET", "{{"), ("SET", "{{a "), ("RELEASE", "${a="), ("RELEASE", "ENC[AES256_GCM,")],
)
def test_marks_that_never_close_are_read_in_one_go(kind, piece):
    long = piece * (400_000 // len(piece))
    text = (
        SET % (LISTED, f"uid: a{long}")
        if kind == "SET"
        else RELEASE.replace("{executor: LocalExecutor}", f"{{uid: 'a{long}'}}")
    )
    started = time.process_time()
    [found] = releases(text)
    assert found.values["uid"] == f"a{long.rstrip()}"
    assert time.process_time() - started < 10
    open_and_closed = SET % (LISTED, 'uid: "{{ a }} {{ b"')
    assert list(unread(open_and_closed)) == ["placeholder {{ a }}"]


def test_a_word_like_a_stand_in_is_just_text():
    [found] = releases(SET % (LISTED, "uid: {{ .uid }}\n            a: genEnvStandIn7x"))
    assert found.values["a"] == "genEnvStandIn7x"


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


def helm(line):
    return APPLICATION.replace("helm: {", f"helm: {{{line}, ")


def annotated(line):
    return APPLICATION.replace(
        "namespace: argocd}", f"namespace: argocd, annotations: {{{line}}}}}"
    )


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set}
spec:
  generators: [%s]
  template:
    metadata: {name: "{{ .name }}"}
    spec:
      project: default
      destination: {namespace: data}
      source:
        repoURL: https://airflow.apache.org
        chart: airflow
        targetRevision: 1.22.0
        helm:
          releaseName: flow
          values: |
            executor: LocalExecutor
            %s
"""
LISTED = "{list: {elements: [{name: a}]}}"
OVERRULED = "{matrix: {generators: [{list: {template: {spec: {source: {chart: x}}}}}]}}"
FLUX_CHART = (
    "chart: {spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: a}}}"
)
OCI = """\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: o, namespace: %s}
spec: {url: oci://registry.example.com/charts/airflow, ref: {tag: 1.22.0%s}%s}
"""
BY_REFERENCE = RELEASE.replace(FLUX_CHART, "chartRef: {kind: OCIRepository, name: o}")
DECIDED_ELSEWHERE = {
    "a build variable": (
        helm("parameters: [{name: labels.a, value: $ARGOCD_APP_NAME}]"), ["parameter labels.a"]
    ),
    "Image Updater": (
        annotated("argocd-image-updater.argoproj.io/image-list: a"),
        ["images of argocd-image-updater.argoproj.io/image-list"],
    ),
    "a template in text": (SET % (LISTED, "uid: {{ .uid }}"), ["placeholder {{ .uid }}"]),
    "a template of several lines": (
        SET % (LISTED, "extraEnv: |\n              {{ .env }}"), ["placeholder {{ .env }}"]
    ),
    "a choice in text": (
        SET % (LISTED, "{{- if .uid }}\n            uid: 1\n            {{- end }}"),
        ["spec.template.spec.source.helm.values"],
    ),
    "a generator's template": (
        SET % (OVERRULED, "uid: 1"),
        ["spec.generators[0].matrix.generators[0].list.template"],
    ),
    "values of the release before": (
        f"{RELEASE}  upgrade: {{preserveValues: true}}\n", ["spec.upgrade.preserveValues"]
    ),
    "an OCI tag": (BY_REFERENCE + OCI % ("data", "", ""), []),
    "an OCI tag below a range": (
        BY_REFERENCE + OCI % ("data", ", semver: 1.x", ""), ["chart version"]
    ),
    "an OCI tag below a digest": (
        BY_REFERENCE + OCI % ("data", ", digest: 'sha256:aa'", ""), ["chart version"]
    ),
    "a later field of an OCI source": (
        BY_REFERENCE + OCI % ("data", "", ", someday: true"), ["spec.someday"]
    ),
    "an OCI source of another namespace": (
        BY_REFERENCE + OCI % ("other", "", ""), ["chartRef OCIRepository o"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DECIDED_ELSEWHERE)
def test_what_something_else_decides_is_named(what):
    text, names = DECIDED_ELSEWHERE[what]
    assert list(unread(text)) == names


def test_a_template_in_text_is_filled_in_and_the_rest_stays():
    [found] = releases(SET % (LISTED, 'uid: {{ .uid }}\n            labels: {a: "{{ .b }}-c"}'))
    assert found.values == {
        "executor": "LocalExecutor", "uid": "{{ .uid }}", "labels": {"a": "{{ .b }}-c"}
    }  # fmt: skip


def test_a_file_that_argo_cd_merges_into_the_source_is_named():
    text = APPLICATION.replace("    chart: airflow\n", "    path: charts/flow\n")
    chart = "apiVersion: v2\nname: airflow\nversion: 1.22.0\ndependencies: [{name: postgresql}]\n"
    steering = {"charts/flow/.argocd-source-flow.yaml": "helm: {}\n"}
    names = unread(text, **{"charts/flow/Chart.yaml": chart, **steering})
    assert "file charts/flow/.argocd-source-flow.yaml" in names


VARIABLES = ("${A}", "$(A)", "<% a %>", "<path:secret/data/a#b>", "ENC[AES256_GCM,data:x,tag:y]")


@pytest.mark.parametrize("text", VARIABLES)
def test_placeholders_of_plain_values_are_named_and_those_of_pods_are_not(text):
    values = {"uid": text, "env": [{"name": "A", "value": text}], "args": [text], "b": f"x{text}"}
    assert [place for place, _ in placeholders.places(values, "values")] == [("uid",)]
    assert placeholders.filled(values, {"uid": 50000}, "values") == {**values, "uid": 50000}


def test_what_sops_writes_of_itself_is_no_value():
    text = "uid: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:x]\n"
    [found] = releases(text, "values.yaml")
    assert list(found.values) == ["uid"] and len(found.not_read) == 1


OTHER_FILES = {
    "Chart.yaml": "apiVersion: v2\nname: p\nversion: 1.0.0\n",
    "helmfile.yaml": "releases: [{name: a, chart: b/airflow}]\n",
    "kustomization.yaml": "helmCharts: [{name: airflow}]\n",
    "compose.yaml": "services: {web: {image: a}}\n",
}


@pytest.mark.parametrize("path", OTHER_FILES)
def test_files_of_other_programs_are_no_values(path):
    [found] = releases(OTHER_FILES[path], path)
    assert not found.usable
    assert {problem.rule for problem in found.problems} == {"values/no-values"}


def test_helm_reads_the_first_document_of_a_values_file():
    [found] = releases("uid: 1\n---\nuid: 2\n", "values.yaml")
    assert found.values == {"uid": 1}
    assert [(item.rule, item.line) for item in found.problems] == [("values/no-values", 3)]


def test_values_that_a_kustomization_renders_take_its_version():
    rows = "helmCharts: [{name: airflow, version: 1.20.0, repo: r, valuesFile: values.yaml}]\n"
    [found] = releases("uid: 1\n", "values.yaml", **{"kustomization.yaml": rows})
    assert found.chart_version == "1.20.0"
    assert [item.what for item in found.not_read] == ["helmCharts[0] of the Kustomization"]
    assert [item.what for item in found.parent.elsewhere("")] == ["chart of r"]


def test_a_release_name_is_as_short_as_flux_makes_it():
    [found] = releases(RELEASE.replace("name: flow,", f"name: {'a' * 60},"))
    assert len(found.release) == 53 and found.release.startswith("a" * 40 + "-")
