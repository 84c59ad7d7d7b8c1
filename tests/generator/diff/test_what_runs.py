"""What runs: facts before tags, tags before `airflow.version`, the environment before values."""

import ast
from pathlib import Path

import pytest

from generator.airflow import image_release
from generator.airflow.image_release import Source
from generator.core.basis import Origin, Version
from generator.diff import what_runs
from generator.diff.model import Facts
from generator.model.image import ImageFacts
from tests.generator.impact.builders import airflow_cfg, config, found, from_secret, workload

DIGEST = "sha256:" + "a" * 64
ROOT = Path(__file__).parents[3]


def runs(image, claim="3.1.8", values=None, **written):
    facts = ImageFacts.model_validate({"airflow": "3.2.2", **written}) if written else None
    read = image_release.reference(image)
    return what_runs.known(read, Facts(airflow_version=claim, image=facts, values=values))


@pytest.mark.parametrize(
    ("image", "written", "airflow", "source"),
    [
        ("r/a:r17", {"of": "r17"}, "3.2.2", Source.FACTS),
        (f"r/a:r17@{DIGEST}", {"of": DIGEST}, "3.2.2", Source.FACTS),
        (f"r/a:r17@{DIGEST}", {"of": "r17"}, "3.1.8", Source.CLAIM),
        ("r/a:r18", {"of": "r17"}, "3.1.8", Source.CLAIM),
        ("r/a:3.3.0", {"of": "3.2.2"}, "3.3.0", Source.TAG),
        ("r/a:3.3.0", {"python": "3.12"}, "3.3.0", Source.TAG),
        ("r/a:r17", {"python": "3.12"}, "3.2.2", Source.FACTS),
        ("localhost:5000/a:slim-3.2.2-python3.12", {}, "3.2.2", Source.TAG),
        (f"r/a:v3.2.2-r1@{DIGEST}", {}, "3.2.2", Source.CLAIMED_TAG),
        ("r/a:1.4.2", {}, "3.1.8", Source.CLAIM),
        ("r/a:2026.11.3", {}, "3.1.8", Source.CLAIM),
        ("r/a:3.3.0rc1", {}, "3.1.8", Source.CLAIM),
        ("r/a", {}, "3.1.8", Source.CLAIM),
    ],
)
def test_the_most_telling_source_counts(image, written, airflow, source):
    item = runs(image, **written)
    assert (item.airflow, item.source) == (airflow, source)


def test_a_basis_names_what_runs_and_where_it_is_known_from():
    assert runs("r/a:r17", of="r17").version == Version("3.2.2", Origin.IMAGE)
    assert runs("r/a:3.3.0").version == Version("3.3.0", Origin.IMAGE)
    assert what_runs.by_values({"airflowVersion": "3.1.8"}).version.origin is Origin.NAMED
    assert runs("r/a:r17").version == Version("3.1.8", Origin.NAMED)
    assert runs("r/a:r17", claim="").version == Version()


def test_only_a_release_that_image_or_tag_name_is_not_assumed():
    assert not runs("r/a:3.2.2", claim="3.2.2").assumed and not runs("r/a:r1", of="r1").assumed
    assert "no release" in runs("r/a:r1").assumed
    assert "of which image" in runs("r/a:r1", python="3.12").assumed
    assert "the digest decides" in runs(f"r/a:3.2.2@{DIGEST}").assumed


def test_a_tag_that_contradicts_the_version_may_count_something_else():
    assert runs("r/a:2.4.1").assumed.endswith("may count something else; airflow.version is 3.1.8")
    assert not runs("r.example.com/apache/airflow:2.4.1").assumed


def test_facts_without_a_name_are_about_the_image_of_the_environment_alone():
    values = {"defaultAirflowRepository": "r/a", "defaultAirflowTag": "r1"}
    assert runs("r/a:r1", values=values, python="3.12").source is Source.FACTS
    assert runs("r/other:r1", values=values, python="3.12").source is Source.CLAIM


def test_the_job_that_migrates_answers_for_the_side_and_values_where_nothing_was_rendered():
    values = {"images": {"airflow": {"repository": "r/a", "tag": f"3.2.2@{DIGEST}"}}}
    item = what_runs.of((), Facts(values=values))
    assert str(item.image) == f"r/a:3.2.2@{DIGEST}" and item.airflow == "3.2.2"
    assert what_runs.of((), Facts()).source is Source.NOTHING


def scheduler(*entries, **container):
    extra = {f"container_{name}": value for name, value in container.items()}
    return workload("scheduler", container_env=list(entries), **extra)


def variable(value):
    return {"name": what_runs.EXECUTOR, "value": value}


CELERY = airflow_cfg("[core]\nexecutor = CeleryExecutor\n")


def executor(*head):
    return found([scheduler(), CELERY], [*head, CELERY], "executor", {"executor": "CeleryExecutor"},
                 {"executor": "CeleryExecutor"})  # fmt: skip


def test_the_environment_of_the_scheduler_names_the_executor_before_any_value():
    (item,) = executor(scheduler(variable("LocalExecutor")))
    assert "executor CeleryExecutor → LocalExecutor" in item.message
    assert executor(scheduler(variable("LocalExecutor"), variable("CeleryExecutor"))) == []
    task = workload("worker", container_env=[variable("LocalExecutor")])
    assert executor(scheduler(), task) == []


def test_an_executor_from_a_config_map_is_read():
    data = config({what_runs.EXECUTOR: "LocalExecutor", "own": "KubernetesExecutor"}, name="own")
    (item,) = executor(scheduler(envFrom=[{"configMapRef": {"name": "own"}}]), data)
    assert "→ LocalExecutor" in item.message
    source = {"configMapKeyRef": {"name": "own", "key": "own"}}
    (item,) = executor(scheduler({"name": what_runs.EXECUTOR, "valueFrom": source}), data)
    assert "→ KubernetesExecutor" in item.message


def test_an_executor_out_of_sight_is_said_to_be_unknown():
    (item,) = executor(scheduler(from_secret(what_runs.EXECUTOR, "s", "k")))
    assert "instead of CeleryExecutor: which one it is cannot be seen" in item.message


# What the chart renders by is `airflowVersion`, whatever runs.
RENDERED_BY = {
    "actions/upgrades/dags.py",
    "actions/upgrades/route.py",
    "diff/what_runs.py",
    "image_build/requirements.py",
    "impact/rules/settings.py",
    "impact/rules/versions.py",
    "lint/definition/combinations.py",
    "manifests/backup_pod.py",
    "model/environment.py",
    "release/expressed.py",
    "release/leaving.py",
    "release/release.py",
    "release/v1/values/base.py",
    "tree/image_files.py",
}


def test_nobody_else_takes_the_version_of_the_definition_for_what_runs():
    asking = set()
    for path in (ROOT / "generator").rglob("*.py"):
        source = path.read_text("utf-8")
        if "airflow" not in source and "database_host" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name.endswith("basis.airflow.version"):  # of what runs
                continue
            if name.endswith((".airflow_version", ".airflow.version", ".database_host")):
                place = path.relative_to(ROOT / "generator").as_posix()
                asking.add((place, name.rpartition(".")[2].removeprefix("airflow_")))
    assert {path for path, name in asking if name == "version"} == RENDERED_BY
    hosts = {path for path, name in asking if name == "database_host"}
    assert hosts == {"impact/rules/access/identity.py"}
