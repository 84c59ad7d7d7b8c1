"""Verification of environments on old charts: what they render, played as a healthy cluster."""

import copy
import datetime
import re

import pytest

from generator.actions import verify
from generator.verify.result import Outcome
from generator.verify.snapshot import AirflowAnswer, SecretMeta, Snapshot
from generator.verify.verdict import decide
from tests import chart_range
from tests.generator.verify.scene import START, airflow, at, bound, ready, rolled_out, unsealed
from tests.repositories import DEV, changed, repository

DIGEST = "sha256:" + "a" * 64
CHARTS = {
    # chart: Airflow, what its health document does not have
    "1.6.0": ("2.3.0", ("triggerer", "dag_processor")),
    "1.9.0": ("2.6.3", ("dag_processor",)),
    "1.11.0": ("2.7.1", ()),
    "1.13.1": ("2.8.3", ()),
    "1.16.0": ("2.10.5", ()),
    "1.19.0": ("3.1.7", ()),
}
NAMES = {
    ("triggerer", "dag_processor"): "triggerer",  # the dag-processor is not rendered by default
    ("dag_processor",): "dag-processor",
}
FIXED = {"Deployment", "StatefulSet", "DaemonSet", "Job", "SealedSecret", "PersistentVolumeClaim"}


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """What the cluster must show of a committed environment, by chart version."""

    def expected(version, text):
        cache = chart_range.archive(version).path.parent
        monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(cache))
        repo = repository(tmp_path / version, dev=text)
        done = repo.run("generate")
        assert done.code == 0, done.said
        repo.init()
        return verify.subject(repo.root, verify.Options("dev", None, 0)).expected

    return expected


def _pods(workload, namespace):
    own, template = workload["spec"], workload["spec"]["template"]
    name, kind = workload["metadata"]["name"], workload["kind"]
    owner = {"kind": kind, "name": name, "controller": True}
    labels = dict(template["metadata"]["labels"])
    if kind == "Deployment":
        labels["pod-template-hash"] = "abc"
        owner = {"kind": "ReplicaSet", "name": f"{name}-abc", "controller": True}
    else:
        labels["controller-revision-hash"] = "r2"
    passed = {"exitCode": 0, "finishedAt": at(23)}
    images = {item["name"]: item["image"] for item in template["spec"]["containers"]}
    return [
        {
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-{number}", "namespace": namespace, "labels": labels,
                "annotations": template["metadata"].get("annotations") or {},
                "ownerReferences": [owner], "creationTimestamp": at(20),
            },
            "spec": {**template["spec"], "restartPolicy": "Always"},
            "status": {
                "phase": "Running", "startTime": at(20),
                "conditions": [{"type": "Ready", "status": "True"}],
                "initContainerStatuses": [
                    {"name": item["name"], "state": {"terminated": passed}}
                    for item in template["spec"].get("initContainers") or []
                ],
                "containerStatuses": [
                    {
                        "name": container, "ready": True, "restartCount": 0,
                        "imageID": f"{image.partition('@')[0].rpartition(':')[0]}@{DIGEST}",
                        "state": {"running": {"startedAt": at(24)}},
                    }
                    for container, image in images.items()
                ],
            },
        }
        for number in range(own.get("replicas", 1))
    ]  # fmt: skip


def _live(expected):
    for item in expected.manifests:
        live = copy.deepcopy(item)
        live["metadata"].setdefault("namespace", expected.namespace)
        live["metadata"]["creationTimestamp"] = at(5)
        if live["kind"] in ("Deployment", "StatefulSet"):
            live["spec"].setdefault("replicas", 1)
            yield rolled_out(live)
        elif live["kind"] == "Job":
            done = {"conditions": [{"type": "Complete", "status": "True"}]}
            yield {**live, "status": {"succeeded": 1, "completionTime": at(19), **done}}
        elif live["kind"] == "SealedSecret":
            yield unsealed(live)
        elif live["kind"] == "PersistentVolumeClaim":
            yield bound(live)
        else:
            yield ready(live) if live["kind"] == "ScaledObject" else live


def _application(expected):
    own = copy.deepcopy(expected.application_manifest)
    sources = own["spec"]["sources"]
    revisions = [
        source["targetRevision"] if "chart" in source else expected.revision for source in sources
    ]
    sync = {"sources": sources, "revisions": revisions}
    listed = [
        {
            "group": item["apiVersion"].rpartition("/")[0], "kind": item["kind"],
            "namespace": expected.namespace, "name": item["metadata"]["name"], "status": "Synced",
        }
        for item in expected.manifests
    ]  # fmt: skip
    own["status"] = {
        "sync": {"status": "Synced", "revisions": revisions, "comparedTo": {"sources": sources}},
        "resources": listed,
        "reconciledAt": at(45),
        "operationState": {
            "phase": "Succeeded", "startedAt": at(10), "finishedAt": at(40),
            "operation": {"sync": {"revisions": revisions}},
            "syncResult": {**sync, "resources": []},
        },
    }  # fmt: skip
    return own


def _look(expected, seconds, document):
    live = list(_live(expected))
    of = {kind: tuple(item for item in live if item["kind"] == kind) for kind in FIXED}
    workloads = (*of["Deployment"], *of["StatefulSet"])
    moment = START + datetime.timedelta(seconds=5)
    return Snapshot(
        taken_at=START + datetime.timedelta(seconds=seconds),
        application=_application(expected),
        workloads=workloads,
        pods=tuple(pod for item in workloads for pod in _pods(item, expected.namespace)),
        jobs=of["Job"],
        claims=of["PersistentVolumeClaim"],
        manifests=of["SealedSecret"],
        secrets=tuple(
            SecretMeta(item["metadata"]["name"], moment, "SealedSecret")
            for item in of["SealedSecret"]
        ),
        scaled_objects=tuple(item for item in live if item["kind"] == "ScaledObject"),
        airflow=AirflowAnswer("ingress", document, ""),
    )


def _played(expected, without=()):
    verdict = None
    for seconds in (100, 140):
        document = {key: part for key, part in airflow(seconds).items() if key not in without}
        verdict = decide(expected, _look(expected, seconds, document), verdict)
    return verdict


@pytest.mark.thorough
@pytest.mark.parametrize("version", CHARTS)
def test_a_healthy_environment_is_verified_on_its_chart(version, environment):
    version_of_airflow, silent = CHARTS[version]
    text = changed(
        DEV,
        ("auth: {defaultUser: {}}", "auth: {}"),  # a field for charts from 1.14 on
        ("version: 1.22.0", f"version: {version}"),
        ("version: 3.2.2", f"version: {version_of_airflow}"),
    )
    expected = environment(version, text)
    assert expected.migration_job
    assert expected.chart_version == version
    assert ("/api/v2/" in expected.endpoint.path) is version_of_airflow.startswith("3.")
    verdict = _played(expected, silent)
    assert verdict.outcome is Outcome.VERIFIED, [str(item) for item in verdict.conditions]
    if silent:
        words = next(item.message for item in verdict.conditions if item.name == "airflow")
        assert re.search(
            rf"not reported by Airflow {version_of_airflow}( \(.*\))?: {NAMES[silent]}$", words
        )


def test_a_verdict_names_the_table_by_which_a_newer_airflow_is_judged(own_chart, tmp_path):
    repo = repository(tmp_path / "repo", dev=changed(DEV, ("3.2.2", "3.9.0")))
    assert repo.run("generate").code == 0
    repo.init()
    expected = verify.subject(repo.root, verify.Options("dev", None, 0)).expected
    verdict = _played(expected)
    assert verdict.outcome is Outcome.VERIFIED
    assert "Airflow 3.9.0 (judged by the table of 3.3.2)" in verdict.basis.line
    assert verdict.as_json()["basis"]["airflow"]["table"] == "3.3.2"
