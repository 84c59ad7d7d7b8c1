"""The second reading judges every adoption: by its own reading of the files and of the tree."""

import ast
import base64
import gzip
import json
from pathlib import Path

import pytest
import yaml

import generator.adoption as adoption_package
from generator.adoption import helm_yaml, second_reading
from generator.helmvalues import found as helmvalues_found
from tests.generator.adoption.scene import Adoption, application, record

VALUES = {
    "executor": "KubernetesExecutor",
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "data": {"metadataSecretName": "airflow-db", "brokerUrlSecretName": "not-used"},
    "fernetKeySecretName": "fernet",
    "apiSecretKeySecretName": "api",
    "jwtSecretName": "jwt",
    "createUserJob": {"enabled": False},
}
HOST = ("--set", "database.host=pg.example.com")
REPOSITORY = "https://airflow.apache.org"
CHART = {"repoURL": REPOSITORY, "chart": "airflow", "targetRevision": "1.22.0"}


def text(data):
    return yaml.safe_dump(data, sort_keys=False)


def flux(version="1.22.0", values=VALUES, more="", **spec):
    chart = {"chart": "airflow", "version": version, "sourceRef": {"kind": "X", "name": "a"}}
    head = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    body = {"interval": "1h", "chart": {"spec": chart}, "values": values, **spec}
    return text(head | {"metadata": {"name": "airflow", "namespace": "airflow"}, "spec": body}) + more


def config_map(values, name="values"):
    data = {"values.yaml": text(values)}
    return "---\n" + text(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    )


def app(helm=None, **spec):
    return application({"releaseName": "airflow", **(helm or {"valuesObject": VALUES})}, **spec)


def changed_app(change, **spec):
    data = yaml.safe_load(app(**spec))
    change(data)
    return text(data)


def sources(*items):
    return app(source=None, sources=list(items))


def chart_source(**helm):
    return {**CHART, "helm": {"releaseName": "airflow", **helm}}


REF = {"repoURL": "https://git.example.com/here.git", "targetRevision": "main", "ref": "here"}
OWN = {"repoURL": "https://git.example.com/here.git", "path": "deploy"}
PARENT = {"apiVersion": "v2", "name": "platform", "version": "0.1.0"}


def umbrella(**dependency):
    row = {"name": "airflow", "version": "1.22.0", "repository": REPOSITORY, **dependency}
    return text({**PARENT, "dependencies": [row]})


def umbrella_app(*names):
    return app(source={**OWN, "helm": {"releaseName": "airflow", "valueFiles": list(names)}})


POST = [{"kustomize": {"patches": [{"patch": "- op: remove\n  path: /spec/replicas\n"}]}}]
EXTRA = {"repoURL": "https://git.example.com/x.git", "path": "extras", "targetRevision": "main"}
INDEXED = {**VALUES, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}

# Name → files, what is given, and the verdict; "refused" comes before any verdict.
SHAPES = {
    "plain values": ({"v.yaml": text(VALUES)}, "same"),
    "scalars that YAML versions read differently": (
        {"v.yaml": text(VALUES) + "labels: {a: 'on', b: '012'}\nenableServiceLinks: no\n"},
        "same",
    ),
    "a date and minutes without quotes": (
        {"v.yaml": text(VALUES) + "airflowPodAnnotations: {day: 2027-03-31, at: '1:30'}\n"},
        "same",
    ),
    "layers": ({"v.yaml": text(VALUES), "w.yaml": "scheduler: {replicas: 2}\n"}, "same"),
    "a null in the upper layer": (
        {"v.yaml": text({**VALUES, "labels": {"a": "b", "c": "d"}}), "w.yaml": "labels: {a: }\n"},
        "same",
    ),
    "helm get values": ({"v.yaml": "USER-SUPPLIED VALUES:\n" + text(VALUES)}, "same"),
    "Helm's record": ({"v.yaml": text(record(VALUES))}, "same"),
    "Application with text": ({"a.yaml": app({"values": text(VALUES)})}, "same"),
    "Application with an object": ({"a.yaml": app()}, "same"),
    "Application with parameters": (
        {
            "a.yaml": app(
                {
                    "valuesObject": VALUES,
                    "parameters": [
                        {"name": "scheduler.replicas", "value": "2"},
                        {"name": "labels.example\\.com/team", "value": "7", "forceString": True},
                    ],
                }
            )
        },
        "same",
    ),
    "a parameter that changes one entry of a list": (
        {
            "a.yaml": app(
                {
                    "valuesObject": INDEXED,
                    "parameters": [{"name": "env[1].value", "value": "two"}],
                }
            )
        },
        "differs",
    ),
    "a parameter with escapes": (
        {
            "a.yaml": app(
                {"valuesObject": VALUES, "parameters": [{"name": "labels.a", "value": "x\\,y"}]}
            )
        },
        "not proven",
    ),
    "text below an object, which Argo CD ignores": (
        {"a.yaml": app({"values": "scheduler: {replicas: 3}\n", "valuesObject": VALUES})},
        "differs",
    ),
    "Application with a ref source": (
        {
            "a.yaml": sources(chart_source(valueFiles=["$here/base.yaml", "$here/no.yaml"],
                                           ignoreMissingValueFiles=True), REF),
            "base.yaml": text(VALUES),
        },
        "same",
    ),
    "Application with a remote file": (
        {
            "a.yaml": app({"valueFiles": ["https://example.com/v.yaml"], "values": "uid: 5\n"}),
            "v.yaml": text(VALUES),
        },
        "same",
    ),
    "a remote file over a local one": (
        {
            "a.yaml": sources(chart_source(valueFiles=["$here/base.yaml", "https://e.com/v.yaml"]),
                              REF),
            "v.yaml": "uid: 1000\n",
            "base.yaml": text({**VALUES, "uid": 2000}),
        },
        "differs",
    ),
    "a third source": ({"a.yaml": sources(chart_source(valuesObject=VALUES), EXTRA)}, "refused"),
    "umbrella chart": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(),
            "deploy/v.yaml": text({"airflow": VALUES}),
        },
        "same",
    ),
    "umbrella chart with an alias, which is part of a label": (
        {
            "a.yaml": umbrella_app("v.yaml"),
            "deploy/Chart.yaml": umbrella(alias="af"),
            "deploy/v.yaml": text({"af": VALUES}),
        },
        "differs",
    ),
    "nested values without the chart that hands them down": (
        {"v.yaml": text({"airflow": VALUES})},
        "not proven",
    ),
    "values of the chart with a block `airflow:` beside them": (
        {"v.yaml": text({**VALUES, "airflow": {"extraEnv": "- {name: A, value: one}"}})},
        "refused",
    ),
    "HelmRelease": ({"h.yaml": flux()}, "same"),
    "HelmRelease with its ConfigMap": (
        {
            "h.yaml": flux(
                values={"scheduler": {"replicas": 2}},
                valuesFrom=[{"kind": "ConfigMap", "name": "values"}],
                more=config_map(VALUES),
            )
        },
        "same",
    ),
    "HelmRelease and its ConfigMap": (
        {
            "h.yaml": flux(valuesFrom=[{"kind": "ConfigMap", "name": "values"}]),
            "c.yaml": config_map({"scheduler": {"replicas": 2}}),
        },
        "same",
    ),
    "HelmRelease with post-renderers": ({"h.yaml": flux(postRenderers=POST)}, "refused"),
    "HelmRelease with a field of a later version": ({"h.yaml": flux(later={"a": 1})}, "refused"),
    "HelmRelease with a range": ({"h.yaml": flux("1.22.*")}, "same"),
}


def given(files):
    """The files that are named on the command line: those beside Chart.yaml are only there."""
    return [name for name in files if "/" not in name and name not in ("base.yaml", "cm.yaml")]


@pytest.fixture
def adopt(own_chart, tmp_path):
    def run(files, *more):
        scene = Adoption(tmp_path / "repo", own_chart, files)
        version = () if "1.22.0" in "".join(files.values()) else ("--chart", "1.22.0")
        if "1.22.*" in "".join(files.values()):
            version = ("--chart", "1.22.0")
        done = scene.repo.run(
            "adopt", *given(files), "--name", "staging", *HOST, *version, "-o", "json", *more
        )
        return scene, done

    return run


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_gets_the_verdict_of_the_second_reading(adopt, shape):
    files, verdict = SHAPES[shape]
    scene, done = adopt(files, "--write")
    assert (done.code == 0) is (verdict == "same"), done.said
    written = "environments/staging/environment.yaml" in scene.repo.tree()
    assert written is (verdict == "same")
    if verdict == "refused":
        assert done.stdout == "" and "[adopt/not-read]" in done.stderr or "[values/" in done.said
    else:
        proof = done.json["proof"]
        assert proof["verdict"] == verdict
        assert done.json["equal"] is (verdict == "same")
        assert proof["engine"].startswith("helm-python-sdk ")
        assert bool(proof["notProven"]) is (verdict == "not proven")
        assert proof["notProven"] == done.json["basis"]["notRead"]
        assert ("the same objects" in done.stderr) is (verdict == "same")
