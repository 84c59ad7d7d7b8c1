"""What of a chart is read is decided once; Helm gets the whole of it where somebody says so."""

import pytest

from generator.chart import unread
from generator.chart.archive import unpack
from generator.chart.chart import open_chart
from generator.render.cache import RenderCache, cache_key
from generator.render.engine import SdkEngine
from generator.render.lean import LeanCharts
from generator.render.request import RenderResult, canonical
from tests import chart_range
from tests.generator.chart.samples import write
from tests.generator.render.samples import request

# Values of every version's time, none of them random.
_MUCH = {
    "executor": "CeleryExecutor",
    "fernetKey": "ZmVybmV0",
    "webserverSecretKey": "a",
    "apiSecretKey": "b",
    "jwtSecret": "c",
    "redis": {"password": "d"},
    "data": {"brokerUrl": "redis://x"},
    "flower": {"enabled": True, "username": "e", "password": "f"},
    "statsd": {"enabled": True},
    "pgbouncer": {"enabled": True},
    "ingress": {"enabled": True},
}


@pytest.fixture
def chart(tmp_path):
    return open_chart(write(tmp_path, {"templates/config.yaml": None}), official=False)


@pytest.fixture
def cache(tmp_path):
    return RenderCache(tmp_path / "renders")


def lean(cache, chart):
    charts = LeanCharts(cache)
    return charts.find(chart, schema=True).read_bytes()


def test_the_lean_archive_lacks_what_nobody_reads_and_without_schema_that_too(chart, cache):
    charts = LeanCharts(cache)
    kept = unpack(charts.find(chart, schema=True).read_bytes())
    assert set(chart.files) - set(kept) == {"README.md"}
    without = unpack(charts.find(chart, schema=False).read_bytes())
    assert set(kept) - set(without) == {"values.schema.json"}


def test_what_is_read_is_decided_once_for_all_processes(chart, cache, monkeypatch):
    expected = lean(cache, chart)
    monkeypatch.setattr(unread, "lean", lambda _: pytest.fail("decided again"))
    assert lean(cache, chart) == expected


def test_a_chart_that_stays_whole_is_remembered_too(tmp_path, cache, monkeypatch):
    reads_all = {"templates/all.yaml": '{{ .Files.Glob "*" }}'}
    chart = open_chart(write(tmp_path, reads_all), official=False)
    assert LeanCharts(cache).find(chart, schema=True) is None
    monkeypatch.setattr(unread, "lean", lambda _: pytest.fail("decided again"))
    assert LeanCharts(cache).find(chart, schema=True) is None


def test_a_damaged_archive_in_the_cache_is_made_anew(chart, cache):
    expected = lean(cache, chart)
    [kept] = cache.root.glob("*/*")
    kept.write_bytes(kept.read_bytes()[:-9])
    assert lean(cache, chart) == expected


def test_without_a_disk_that_can_be_written_charts_are_lean_as_well(chart, tmp_path):
    (tmp_path / "file").write_text("")
    assert LeanCharts(RenderCache(tmp_path / "file" / "renders")).find(chart, schema=True)


def test_the_setting_that_keeps_charts_whole_makes_another_render(tmp_path, monkeypatch):
    wanted = request(write(tmp_path))
    usual = cache_key(wanted, "helm")
    monkeypatch.setenv("GEN_ENV_WHOLE_CHARTS", "1")
    assert cache_key(wanted, "helm") != usual


@chart_range.each_version
def test_every_version_renders_the_same_of_the_whole_archive(version, monkeypatch):
    engine = SdkEngine()
    wanted = request(chart_range.archive(version).path, _MUCH, kube_version="1.30.0")
    lean = engine.render(wanted)
    monkeypatch.setenv("GEN_ENV_WHOLE_CHARTS", "1")
    whole = engine.render(wanted)
    assert isinstance(lean, RenderResult)
    assert canonical(lean.manifests) == canonical(whole.manifests)
    assert (lean.notes, lean.problems) == (whole.notes, whole.problems)
