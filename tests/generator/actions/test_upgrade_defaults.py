"""A default that the new chart has changed, and that an object depends on, stays as it was."""

import pytest
import yaml

from generator.chart.cache import ChartCache
from generator.core.layered import lookup
from tests import chart_range
from tests.made_up_chart import files_of, made_up
from tests.repositories import DEV, changed, repository
from tests.standin_chart import stand_in_archive

PATH = "environments/dev/environment.yaml"
CHANGED = {
    "images.statsd.tag": "v9",
    "images.redis.tag": "9-of-celery-alone",
    "triggerer.args": ["bash", "-c", "exec airflow triggerer --new"],
    "scheduler.replicas": 7,
}


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """An environment on the stand-in chart, and a newer chart with other defaults."""
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    cache, known = ChartCache(tmp_path / "charts"), stand_in_archive(tmp_path)
    files = files_of(known)
    assert all(lookup(yaml.safe_load(files["values.yaml"]), key) for key in CHANGED)
    cache.add(known)
    cache.add(made_up(tmp_path, "1.23.0", files=files, added=CHANGED))
    repo = repository(tmp_path / "repo", dev=DEV + "metrics: {type: statsd}\n")
    assert repo.run("generate").code == 0
    return repo


def test_only_what_an_object_depends_on_is_written(repo):
    done = repo.run("upgrade", "dev", "--chart", "1.23.0")
    assert done.code == 0, done.said
    assert repo.yaml(PATH)["values"] == {"images": {"statsd": {"tag": "v0.30.0"}}}
    assert "old default of images.statsd.tag is kept, in values:" in done.stdout
    assert "    = Deployment airflow-dev/airflow-statsd" in done.stdout
    assert "images.redis.tag is kept" not in done.stdout


@pytest.mark.thorough
def test_a_part_of_the_program_and_what_the_definition_decides_are_left_alone(repo):
    said = repo.run("upgrade", "dev", "--chart", "1.23.0").stdout
    assert "new default of triggerer.args takes effect: it belongs to the chart's templates" in said
    assert "default of scheduler.replicas takes effect" not in said
    assert "old default of scheduler.replicas" not in said


def test_new_defaults_are_taken_and_named_on_request(repo):
    done = repo.run("upgrade", "dev", "--chart", "1.23.0", "--new-defaults")
    assert "values" not in repo.yaml(PATH)
    assert "new default of images.statsd.tag takes effect: --new-defaults" in done.stdout
    assert "statsd-exporter:v9" in done.stdout


def test_new_defaults_need_a_chart(repo):
    done = repo.run("upgrade", "dev", "--airflow", "3.2.3", "--new-defaults")
    assert done.code == 1 and "--new-defaults needs --chart VERSION" in done.stderr


@pytest.mark.thorough
def test_between_official_charts_the_sidecar_keeps_its_image(tmp_path, monkeypatch):
    cache = ChartCache(tmp_path / "charts")
    for version in ("1.20.0", "1.22.0"):
        cache.add(chart_range.archive(version).path)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    text = changed(DEV, ("version: 1.22.0", "version: 1.20.0"), ("3.2.2", "3.1.8"))
    repo = repository(tmp_path / "repo", dev=text)
    assert repo.run("generate").code == 0
    assert repo.run("upgrade", "dev", "--chart", "1.22.0").code == 0
    assert repo.yaml(PATH)["values"]["images"] == {"statsd": {"tag": "v0.29.0"}}


@pytest.mark.thorough
def test_a_kept_default_stands_under_the_new_name_that_the_objects_depend_on(tmp_path, monkeypatch):
    cache = ChartCache(tmp_path / "charts")
    for version in ("1.13.1", "1.22.0"):
        cache.add(chart_range.archive(version).path)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    text = changed(
        DEV,
        ("version: 1.22.0", "version: 1.13.1"),
        ("version: 3.2.2", "version: 2.11.2, executor: CeleryExecutor"),
        ("auth: {defaultUser: {}}\n", ""),
    )
    repo = repository(tmp_path / "repo", dev=text)
    assert repo.run("generate").code == 0
    done = repo.run("upgrade", "dev", "--chart", "1.22.0")
    assert repo.yaml(PATH)["values"]["workers"] == {"celery": {"safeToEvict": True}}
    assert "workers.safeToEvict is kept, in values: as workers.celery.safeToEvict\n" in done.stdout
