"""`check`: all faults of all files at once, and what could not be checked."""

import json

import pytest

from generator.actions.check import ChartFacts, Circumstances, check
from generator.chart.chart import open_chart
from generator.core.basis import Origin, Version
from generator.core.files import Snapshot
from generator.lint.objects.crd_schema import Definitions
from tests.generator.lint.defaults import DEFAULTS

SCHEMA = {
    "type": "object",
    "properties": {
        "executor": {"type": "string"},
        "scheduler": {
            "type": "object",
            "additionalProperties": False,
            "properties": {key: {} for key in DEFAULTS["scheduler"]}
            | {"replicas": {"type": "integer"}},
        },
    },
}
CHART = ChartFacts("1.22.0", DEFAULTS, SCHEMA)


def run(texts, *, chart=CHART, paths=None, **more):
    files = Snapshot({name: text.encode() for name, text in texts.items()})
    return check(files, paths or list(texts), chart_for=lambda _: chart, **more)


def test_a_release_that_nothing_judged_names_no_table():
    strange = Version("1.99.0", Origin.OPTION)
    around = Circumstances(version_of=lambda _: strange)
    unread = run({"v.yaml": "executor: LocalExecutor\n"}, chart=None, circumstances=around)
    assert str(unread.releases[0].basis.chart) == "1.99.0"
    facts = ChartFacts("1.99.0", DEFAULTS, SCHEMA, strange)
    judged = run({"v.yaml": "executor: LocalExecutor\n"}, chart=facts)
    assert "judged by the table of 1.22.x" in str(judged.releases[0].basis.chart)


def found(result):
    return {(problem.rule, problem.place) for problem in result.problems}


FAULTY = """\
executor: CeleryKubernetesExecutor
Scheduler:
  replicas: 2
scheduler:
  replicas: two
workers:
  replicas: 3
fernetKey: s3cr3t
"""


def test_faults_of_every_kind_come_at_once_with_file_and_line():
    places = found(run({"v.yaml": FAULTY}))
    assert {
        ("executor/dead", "v.yaml:1"),
        ("values/misspelt-key", "v.yaml:2"),
        ("values/schema", "v.yaml:5"),
        ("values/deprecated-key", "v.yaml:7"),
        ("secrets/inline", "v.yaml:8"),
    } <= places


def test_no_finding_quotes_the_secret():
    assert "s3cr3t" not in json.dumps(run({"v.yaml": FAULTY}).as_json())


def test_one_unreadable_file_does_not_hide_the_others():
    result = run({"bad.yaml": "a: [\n", "v.yaml": FAULTY})
    rules = {problem.rule for problem in result.problems}
    assert {"file/unreadable", "executor/dead"} <= rules


def test_a_missing_file_is_a_problem_with_a_hint():
    [problem] = run({}, paths=["gone.yaml"]).problems
    assert (problem.rule, problem.path) == ("file/unreadable", "gone.yaml")
    assert problem.hint


def test_without_the_chart_nothing_counts_as_passed():
    result = run({"v.yaml": FAULTY}, chart=None)
    checks = {item.check for item in result.not_done}
    assert checks == {"values/schema", "values/unknown-key", "values", "rendered objects"}
    assert result.problems == (), "advice of another chart version is none"


def test_another_chart_is_declined_and_not_picked_apart():
    result = run({"v.yaml": "airflow: {legacyCommands: true}\nweb: {}\n"})
    assert [problem.rule for problem in result.problems] == ["values/other-chart"]
    assert result.not_done == ()


def test_the_chart_of_the_files_version_is_asked_for():
    asked = []
    app = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
        "spec: {source: {repoURL: r, chart: airflow, targetRevision: 1.21.0,"
        " helm: {valuesObject: {executor: LocalExecutor}}}}\n"
    )

    def chart_for(source):
        asked.append(source.chart_version)
        return CHART

    files = Snapshot({"app.yaml": app.encode(), "v.yaml": b"executor: LocalExecutor\n"})
    check(files, ["app.yaml", "v.yaml"], chart_for=chart_for)
    assert asked == ["1.21.0", ""]


def test_a_finding_of_one_of_a_files_releases_names_it():
    app = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: %s}
spec:
  source:
    repoURL: r
    chart: airflow
    targetRevision: 1.22.0
    helm: {valuesObject: {executor: %s, fernetKey: s3cr3t}}
---
"""
    text = app % ("one", "CeleryKubernetesExecutor") + app % ("two", "LocalExecutor")
    text += text.replace("one", "three").replace("two", "four")
    by_name = {}
    for problem in run({"apps.yaml": text}).problems:
        by_name.setdefault(problem.rule, set()).add(problem.environment)
    assert by_name["executor/dead"] == {"one", "three"}
    assert by_name["secrets/random-api-key"] == {""}, "all of them have it"


def test_releases_of_one_name_in_a_file_are_told_apart_by_namespace():
    release = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: airflow, namespace: %s}
spec:
  interval: 1h
  chart: {spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: r}}}
  values: {executor: CeleryExecutor, %s: 1}
---
"""
    result = run({"releases.yaml": release % ("one", "fooo") + release % ("two", "baar")})
    assert [item.name for item in result.releases] == ["one/airflow", "two/airflow"]
    unknown = [item for item in result.problems if item.rule == "values/unknown-key"]
    assert [item.environment for item in unknown] == ["one/airflow", "two/airflow"]


def test_the_tier_decides_how_much_a_rule_weighs():
    def severity(tier):
        result = run({"v.yaml": "executor: LocalExecutor\n"}, circumstances=Circumstances(tier))
        return {p.severity for p in result.problems if p.rule == "database/embedded"}

    assert severity("production") == {"error"}
    assert severity("development") == set()


def test_files_together_are_one_release():
    texts = {
        "a.yaml": "executor: CeleryKubernetesExecutor\n",
        "b.yaml": "executor: LocalExecutor\n",
    }
    alone, together = run(texts), run(texts, together=True)
    assert "executor/dead" in {problem.rule for problem in alone.problems}
    assert "executor/dead" not in {problem.rule for problem in together.problems}


def test_a_flux_release_is_judged_as_flux_runs_it():
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\n"
        "spec: {values: {executor: LocalExecutor, migrateDatabaseJob: {useHelmHooks: false}}}\n"
    )
    rules = {problem.rule for problem in run({"hr.yaml": release}).problems}
    assert "jobs/immutable" not in rules


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "x"},
    "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}], "surprise": 1},
}
SCALER = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "s"}}


def rendering(*objects, problems=()):
    return lambda source, chart: (list(objects), list(problems))


def test_rendered_objects_are_checked_when_they_can_be_made():
    result = run(
        {"v.yaml": "executor: LocalExecutor\n"},
        render=rendering(SERVICE, SCALER),
        circumstances=Circumstances(kube_version="1.34.2", crds=Definitions({})),
    )
    assert {("kubernetes/schema", "v.yaml"), ("rendered/service-without-pods", "v.yaml")} <= found(
        result
    )
    assert [item.check for item in result.not_done] == ["crd/schema"]


def test_without_a_renderer_or_a_kubernetes_version_it_says_so():
    bare = run({"v.yaml": "executor: LocalExecutor\n"})
    assert [item.check for item in bare.not_done] == ["rendered objects"]
    rendered = run({"v.yaml": "executor: LocalExecutor\n"}, render=rendering(SERVICE))
    assert [item.check for item in rendered.not_done] == ["kubernetes/schema"]


def test_the_same_values_give_the_same_result():
    assert run({"v.yaml": FAULTY}) == run({"v.yaml": FAULTY})


@pytest.mark.real_chart
def test_the_official_defaults_have_the_traps_that_everybody_falls_into(real_chart):
    archive = open_chart(real_chart)
    facts = ChartFacts(archive.version, archive.values(), archive.schema())
    result = run({"v.yaml": "executor: CeleryExecutor\n"}, chart=facts)
    rules = {problem.rule for problem in result.problems}
    assert {
        "secrets/random-fernet-key",
        "secrets/random-jwt-secret",
        "broker/random-password",
        "jobs/helm-hooks",
        "jobs/default-user",
        "database/embedded",
    } <= rules
    assert not rules & {"values/schema", "values/unknown-key", "values/misspelt-key"}


OLDER = "workers:\n  celery: {replicas: 2}\napiSecretKeySecretName: k\nexecutor: CeleryExecutor\n"


def _without_archive(text, version, origin):
    around = Circumstances(version_of=lambda _: Version(version, origin))
    return run({"v.yaml": text}, chart=None, circumstances=around)


def test_without_an_archive_the_table_of_releases_tells_of_keys_that_are_written():
    result = _without_archive(OLDER, "1.17.0", Origin.OPTION)
    assert {(item.rule, item.place, item.hint) for item in result.problems} == {
        ("values/schema", "v.yaml:2", "chart 1.17.0 reads workers instead"),
        (
            "values/unknown-key",
            "v.yaml:3",
            "chart 1.17.0 reads webserverSecretKeySecretName instead",
        ),
    }
    assert {item.check for item in result.not_done} == {
        "rendered objects",
        "values",
        "values/schema",
    }
    assert (result.basis.chart.version, result.basis.complete) == ("1.17.0", False)


@pytest.mark.parametrize(
    ("version", "origin"), [("1.17.0", Origin.ASSUMED), ("1.99.0", Origin.NAMED), ("", "unknown")]
)
def test_of_a_chart_that_is_assumed_or_that_nobody_knows_nothing_is_said(version, origin):
    result = _without_archive(OLDER, version, Origin(origin))
    assert result.problems == ()
    assert "values/unknown-key" in {item.check for item in result.not_done}
