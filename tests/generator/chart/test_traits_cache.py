"""Traits beside the archive in the chart cache."""

import gzip
import json
import os

import pytest

from generator.chart import traits_cache
from generator.chart.cache import ChartCache
from generator.chart.traits_reader import traits_of
from tests import chart_range
from tests.generator.chart import samples


@pytest.fixture(autouse=True)
def _fresh():
    traits_cache._once.cache_clear()


@pytest.fixture
def chart(tmp_path):
    return ChartCache(tmp_path / "charts").add(samples.write(tmp_path))


def _file(chart):
    return chart.path.with_suffix(".traits")


def test_what_is_derived_once_is_read_back_the_same(chart):
    traits_cache.traits(chart)
    traits_cache._once.cache_clear()
    assert _file(chart).is_file()
    assert traits_cache.traits(chart) == traits_of(chart)


def test_a_file_beside_the_archive_is_used(chart):
    traits_cache.traits(chart)
    traits_cache._once.cache_clear()
    data = json.loads(gzip.decompress(_file(chart).read_bytes()))
    data["airflow"] = "9.9.9"
    _file(chart).write_bytes(gzip.compress(json.dumps(data).encode()))
    assert traits_cache.traits(chart).airflow == "9.9.9"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        gzip.compress(b"[1", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'{"format": 1}', mtime=0),
    ],
)
def test_a_damaged_file_is_replaced(chart, content):
    _file(chart).write_bytes(content)
    assert traits_cache.traits(chart) == traits_of(chart)
    assert json.loads(gzip.decompress(_file(chart).read_bytes()))["digest"] == chart.digest


@pytest.mark.parametrize(("key", "value"), [("format", 0), ("digest", "sha256:0")])
def test_a_file_of_another_format_or_archive_is_not_used(chart, key, value):
    traits_cache.traits(chart)
    traits_cache._once.cache_clear()
    data = json.loads(gzip.decompress(_file(chart).read_bytes()))
    data |= {"airflow": "9.9.9", key: value}
    _file(chart).write_bytes(gzip.compress(json.dumps(data).encode()))
    assert traits_cache.traits(chart).airflow == "3.2.2"


def test_a_file_of_another_user_is_not_used(chart, monkeypatch):
    traits_cache.traits(chart)
    traits_cache._once.cache_clear()
    data = json.loads(gzip.decompress(_file(chart).read_bytes()))
    _file(chart).write_bytes(gzip.compress(json.dumps({**data, "airflow": "9.9.9"}).encode()))
    monkeypatch.setattr(os, "getuid", lambda: -1)
    assert traits_cache.traits(chart).airflow == "3.2.2"


def test_nothing_is_written_beside_an_archive_outside_the_cache(tmp_path):
    from generator.chart.chart import open_chart

    chart = open_chart(samples.write(tmp_path), official=False)
    before = sorted(tmp_path.rglob("*"))
    assert traits_cache.traits(chart).airflow == "3.2.2"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written_to_changes_nothing(chart, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError("read-only")

    monkeypatch.setattr(traits_cache.tempfile, "TemporaryDirectory", refuse)
    assert traits_cache.traits(chart).airflow == "3.2.2"
    assert not _file(chart).exists()


@chart_range.each_version
def test_traits_of_official_charts_survive_being_written(version):
    traits = chart_range.traits(version)
    data = json.loads(json.dumps(traits_cache.as_data(traits)))
    assert traits_cache.from_data(data) == traits
