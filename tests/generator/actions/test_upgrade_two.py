"""What leaves with chart 2.0: named long before, moved first, and the rest proved to stay."""

import re

import pytest

from generator.chart.cache import ChartCache
from tests import chart_range
from tests.chart_two import chart_two
from tests.made_up_chart import files_of, made_up
from tests.repositories import DEV, PRODUCTION, changed, repository
from tests.standin_chart import stand_in_archive

OWN = changed(DEV, ("database: {embedded: true}", "database: {host: pg.example.com}"))
USES = {
    "nothing": (OWN, ""),
    "git-sync and KEDA": (PRODUCTION, "dags.gitSync, workers.autoscaling"),
    "the bundled database": (DEV, "database.embedded"),
    "an old Airflow": (changed(OWN, ("3.2.2", "2.11.0")), "Airflow 2.11.0"),
    "old names": (
        OWN + "values: {workers: {labels: {a: b}}, scheduler: {securityContext: {}}}\n",
        "values.scheduler.securityContext, values.workers.labels",
    ),
    "autoscalers and git-sync by keys of the chart": (
        OWN + "values: {triggerer: {keda: {enabled: true}}, workers: {keda: {enabled: true}},"
        " dags: {gitSync: {enabled: true}}, elasticsearch: {enabled: false}}\n",
        "values.workers.keda.enabled, values.triggerer.keda.enabled, values.dags.gitSync.enabled",
    ),
    "a search engine": (
        OWN + "logging: {remote: {type: elasticsearch, url: 'https://es.example.com'}}\n",
        "logging.remote",
    ),
}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caches")
    ChartCache(folder / "charts").add(stand_in_archive(folder))
    return folder / "charts"


@pytest.mark.few(1)
@pytest.mark.parametrize("name", USES)
def test_one_note_names_what_leaves(name, stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(stand_in))
    text, parts = USES[name]
    name = "production" if "name: production" in text else "dev"
    repo = repository(tmp_path / "repo", **{name: text})
    said = repo.run("validate", name).stdout
    assert said.count("[chart/leaves-with-2]") == bool(parts)
    assert not parts or f"leaves with chart 2.0: {parts}\n" in said
    explained = repo.run("explain", name).stdout
    assert explained.count("leaves with chart 2.0") == bool(parts)
    assert "ENV" not in explained.partition("leaves with")[2]


def test_a_chart_that_does_not_render_the_environment_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    known = stand_in_archive(tmp_path)
    broken = files_of(known) | {"templates/new.yaml": b"{{ .Values.lanes.first.name }}"}
    cache = ChartCache(tmp_path / "charts")
    cache.add(known)
    cache.add(made_up(tmp_path, "1.23.0", files=broken, added={"lanes": {}}))
    repo = repository(tmp_path / "repo", dev=DEV)
    assert repo.run("generate").code == 0
    before = repo.tree()
    done = repo.run("upgrade", "dev", "--chart", "1.23.0")
    assert done.code == 1 and repo.tree() == before
    assert "[render/template]" in done.stderr and "dev: nothing was written" in done.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    for archive in (chart_range.archive("1.22.0").path, chart_two(folder)):
        ChartCache(folder / "charts").add(archive)
    return folder / "charts"


@pytest.mark.thorough
def test_an_environment_without_the_parts_moves_and_every_object_of_the_chart_stays(
    two, tmp_path, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(two))
    old = "values: {workers: {labels: {a: b}}, enableServiceLinks: false}\n"
    repo = repository(
        tmp_path / "repo", dev=OWN + changed(old, (", enableServiceLinks: false", ""))
    )
    assert repo.run("generate").code == 0
    done = repo.run("upgrade", "dev", "--chart", "2.0.0")
    assert done.code == 0, done.said
    assert repo.yaml("environments/dev/environment.yaml")["values"]["workers"] == {
        "celery": {"labels": {"a": "b"}},
        "kubernetes": {"labels": {"a": "b"}},
    }
    assert "objects as before" in done.stdout and "0 added, 0 removed, 1 modified" in done.stdout
    assert "modified Application argocd/airflow-dev" in done.stdout
    assert "[chart/not-tried]" in done.stderr
    found = repo.run("validate", "dev").said
    assert "[chart/not-tried]" in found and "[chart/leaves-with-2]" not in found
    assert "error" not in found.replace("no errors", ""), found


@pytest.mark.thorough
def test_what_needs_the_parts_is_refused_with_the_steps_in_order(two, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(two))
    old = changed(
        PRODUCTION, ("version: 3.2.2", "version: 3.0.6"), ("tag: 3.2.2-r1", "tag: 3.0.6-r1")
    )
    repo = repository(tmp_path / "repo", production=old)
    assert repo.run("generate").code == 0
    before = repo.tree()
    done = repo.run("upgrade", "production", "--chart", "2.0.0")
    assert done.code == 1 and repo.tree() == before
    steps = [line.strip() for line in done.stdout.splitlines() if re.match(r"  \d\. ", line)]
    assert steps == [
        "1. gen-env upgrade production --airflow 3.1.0",
        "2. image.tag: set an image with Airflow 3.1.0 or later",
        "3. gen-env upgrade production --dags bundles",
        "4. workers.autoscaling: use type hpa, or replicas; gen-env does not write a ScaledObject"
        " itself",
        "5. gen-env upgrade production --chart 2.0.0",
    ]


def test_an_autoscaler_by_a_key_of_the_chart_is_a_step_before_it_leaves(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    cache, known = ChartCache(tmp_path / "charts"), stand_in_archive(tmp_path)
    cache.add(known)
    without = ("triggerer.keda", "workers.keda", "workers.celery.keda")
    cache.add(made_up(tmp_path, "2.0.0", without=without, files=files_of(known)))
    text = OWN + "values: {triggerer: {keda: {enabled: true}}}\n"
    repo = repository(tmp_path / "repo", dev=text)
    assert repo.run("generate").code == 0
    done = repo.run("upgrade", "dev", "--chart", "2.0.0")
    assert "1. values.triggerer.keda.enabled: use type hpa, or replicas" in done.stdout
    assert done.code == 1, done.said
