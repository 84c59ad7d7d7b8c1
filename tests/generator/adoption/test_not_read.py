"""What is not read is not compared: adoption refuses it by name instead of losing it."""

import json

import pytest
import yaml

from tests.generator.adoption.scene import Adoption, application

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
HOST = ("--name", "staging", "--set", "database.host=pg.example.com")


def release(version="1.22.0", **spec):
    chart = {"chart": "airflow", "version": version, "sourceRef": {"kind": "X", "name": "a"}}
    return yaml.safe_dump(
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "airflow", "namespace": "airflow"},
            "spec": {"interval": "1h", "chart": {"spec": chart}, "values": VALUES, **spec},
        }
    )


def refused(tmp_path, archive, text, *arguments):
    scene = Adoption(tmp_path / "repo", archive, {"release.yaml": text})
    done = scene.repo.run("adopt", "release.yaml", *HOST, *arguments)
    assert done.code == 1 and "the same objects" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("postRenderers", [{"kustomize": {"patches": [{"patch": "x"}]}}]),
        ("commonMetadata", {"labels": {"team": "data"}}),
        ("fieldOfNextYear", {"a": 1}),
    ],
)
def test_a_field_of_a_helm_release_that_is_not_read(tmp_path, own_chart, field, value):
    said = refused(tmp_path, own_chart, release(**{field: value}))
    assert f"spec.{field} is not read" in said and "release.yaml:" in said
    assert "adopt/not-read" in said


def test_another_source_of_an_application(tmp_path, own_chart):
    data = yaml.safe_load(application({"releaseName": "airflow", "valuesObject": VALUES}))
    first = data["spec"].pop("source")
    extra = {"repoURL": "https://git.example.com/x.git", "path": "extras", "targetRevision": "main"}
    data["spec"]["sources"] = [first, extra]
    assert "spec.sources[1] is not read" in refused(tmp_path, own_chart, json.dumps(data))


@pytest.mark.parametrize("version", ["1.22.*", "~1.22", ">=1.0.0", ""])
def test_a_range_asks_for_the_version_that_runs(tmp_path, own_chart, version):
    said = refused(tmp_path, own_chart, release(version))
    assert "the running version is unknown" in said and "--chart" in said


def test_a_chart_version_that_contradicts_the_release(tmp_path, own_chart):
    said = refused(tmp_path, own_chart, release("1.20.0"), "--chart", "1.22.0")
    assert "names chart 1.20.0, and --chart says 1.22.0" in said


def test_plain_values_need_the_chart_version(tmp_path, own_chart):
    said = refused(tmp_path, own_chart, yaml.safe_dump(VALUES))
    assert "no file names the chart version" in said


ODD = {
    "a source that is text": lambda data: data["spec"].update(
        sources=["x", data["spec"]["source"]]
    ),
    "sources that are text": lambda data: data["spec"].update(sources="x"),
    "labels in a list": lambda data: data["metadata"].update(labels=["a"]),
    "a finalizer that is a number": lambda data: data["metadata"].update(finalizers=5),
}


@pytest.mark.few(1)
@pytest.mark.parametrize("rows", [5, "text", ["text"]])
def test_values_from_of_an_odd_shape_are_not_proven(tmp_path, own_chart, rows):
    said = refused(tmp_path, own_chart, release(valuesFrom=rows))
    assert "internal error" not in said, said


@pytest.mark.few(1)
@pytest.mark.parametrize("what", ODD)
def test_an_application_of_an_odd_shape_is_no_bug(tmp_path, own_chart, what):
    data = yaml.safe_load(application({"releaseName": "airflow", "valuesObject": VALUES}))
    ODD[what](data)
    scene = Adoption(tmp_path / "repo", own_chart, {"app.yaml": yaml.safe_dump(data)})
    done = scene.repo.run("adopt", "app.yaml", *HOST)
    assert done.code in (0, 1) and "internal error" not in done.stderr, done.stderr
