"""Both engines give the same objects, problems and failures for the same input."""

import subprocess

import pytest

from generator.kube.resource import ordered
from generator.render.request import RenderResult, canonical
from generator.yaml.manifests import load_manifests
from tests.generator.chart.samples import write
from tests.generator.render.samples import binary, needs_helm, official_chart, request, sdk

pytestmark = [pytest.mark.helm, needs_helm]

PINNED = {
    "fernetKeySecretName": "airflow-fernet",
    "apiSecretKeySecretName": "airflow-api",
    "jwtSecretName": "airflow-jwt",
    "webserverSecretKeySecretName": "airflow-webserver",
    "redis": {"passwordSecretName": "airflow-redis"},
    "data": {"metadataSecretName": "airflow-db", "brokerUrlSecretName": "airflow-broker"},
    "migrateDatabaseJob": {"useHelmHooks": False},
}
CELERY = {
    "executor": "CeleryExecutor",
    "postgresql": {"enabled": False},
    "pgbouncer": {"enabled": True, "configSecretName": "p", "metricsExporterSidecar": {}},
    "workers": {"celery": {"keda": {"enabled": True}, "persistence": {"enabled": False}}},
    "networkPolicies": {"enabled": True},
    "ingress": {"apiServer": {"enabled": True, "hosts": [{"name": "airflow.example.com"}]}},
    "dags": {"gitSync": {"enabled": True, "repo": "git@example.com:a/b.git", "sshKeySecret": "s"}},
    "config": {"core": {"parallelism": "64"}},
    "extraEnv": "- name: ODD\n  value: '{{ .Release.Name }}-ü'\n",
}
KUBERNETES = {
    "executor": "KubernetesExecutor",
    "redis": {"enabled": False},
    "cleanup": {"enabled": True},
    "databaseCleanup": {"enabled": True},
    "otelCollector": {"tracesEnabled": True},
    "quotas": {"pods": "40"},
    "limits": [{"type": "Container", "default": {"cpu": "1"}}],
    "priorityClasses": [{"name": "high", "preemptionPolicy": "Never", "value": 1000}],
    "extraSecrets": {"more": {"stringData": "a: y\nb: 0440\n"}},
}
LOCAL = {"executor": "LocalExecutor", "workers": {"persistence": {"size": "1Gi"}}}
AIRFLOW_2 = {"airflowVersion": "2.11.0", "flower": {"enabled": True}, "rbac": {"create": False}}
OFFICIAL = {
    "celery": CELERY,
    "kubernetes": KUBERNETES,
    "local": LOCAL,
    "airflow 2": AIRFLOW_2,
    "schema": {"executor": 3, "scheduler": {"zzz": 1}},
    "template": {"config": {"core": {"x": "{{ ti.xcom }}"}}},
    "check": {"config": {"core": {"executor": "LocalExecutor"}}},
    "version": {"airflowVersion": "main"},
}


def compare(asked):
    ours, theirs = sdk().render(asked), binary().render(asked)
    if isinstance(ours, RenderResult) and isinstance(theirs, RenderResult):
        assert canonical(ours.manifests) == canonical(theirs.manifests)
        assert ours.notes == theirs.notes
        assert ours.problems == theirs.problems
        return ours
    assert ours == theirs
    return ours


@pytest.mark.real_chart
@pytest.mark.parametrize("values", OFFICIAL.values(), ids=OFFICIAL.keys())
def test_the_official_chart_renders_alike(values):
    outcome = compare(request(official_chart(), {**PINNED, **values}, kube_version="1.33.4"))
    failing = values in [OFFICIAL[name] for name in ("schema", "template", "check", "version")]
    assert isinstance(outcome, RenderResult) is not failing
    assert failing or len(outcome.manifests) > 20


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"postgresql": {"enabled": True}},
        {"workers": {"replicas": 3}, "enableServiceLinks": None},
        {"executor": "DeadExecutor"},
        {"executor": "NotesExecutor"},
        {"config": {"a": "{{ nothing }}"}},
        {"config": {"a": "1e3", "b": "0440", "c": "y", "d": "ünï\n\t\u2028"}},
        {"scheduler": {"replicas": None}},
    ],
)
def test_our_chart_renders_alike(tmp_path, values):
    compare(request(write(tmp_path), values, include_crds=True))


@pytest.mark.real_chart
def test_the_objects_are_those_that_helm_template_prints(tmp_path):
    asked = request(official_chart(), {**PINNED, **CELERY})
    values = tmp_path / "values.json"
    values.write_text(asked.values_json())
    argv = [binary().helm, "template", asked.release, asked.chart, "-n", asked.namespace]
    argv += ["-f", values, "--kube-version", asked.kube_version, "-a", *asked.api_versions]
    printed = subprocess.run(argv, capture_output=True, check=True).stdout
    wanted = ordered(load_manifests(printed))
    assert list(sdk().render(asked).manifests) == wanted
    assert len(wanted) > 30
