import multiprocessing
from pathlib import Path

import pytest

from generator.chart.cache import ChartCache, cache_root
from generator.chart.chart import ChartError, ChartFault
from generator.core.errors import UserError
from tests.generator.chart.samples import CHART, write


@pytest.fixture
def cache(tmp_path):
    return ChartCache(tmp_path / "cache")


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"GEN_ENV_CHART_CACHE": "/srv/charts", "XDG_CACHE_HOME": "/x"}, "/srv/charts"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/gen-env/charts"),
        ({}, "/home/ann/.cache/gen-env/charts"),
    ],
)
def test_the_environment_says_where_charts_are_kept(environ, root, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert cache_root(environ) == Path(root)


def test_a_chart_that_was_added_is_found(cache, tmp_path):
    added = cache.add(write(tmp_path))
    found = cache.find("airflow", "1.22.0")
    assert found == added
    assert found.path.is_relative_to(cache.root)
    assert cache.find("airflow", "1.22.0", digest=added.digest) == added
    assert cache.find("airflow", "1.21.0") is None
    assert cache.need("airflow", "1.22.0") == added


def test_adding_again_changes_nothing(cache, tmp_path):
    path = write(tmp_path)
    first = cache.add(path).path.stat()
    again = cache.add(path).path.stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert len(cache.list()) == 1


def test_what_is_not_the_official_chart_is_not_added(cache, tmp_path):
    path = write(tmp_path, {"values.yaml": "{}"})
    with pytest.raises(ChartError):
        cache.add(path)
    assert cache.list() == ()


def test_the_cache_lists_its_charts_in_order(cache, tmp_path):
    for version in ("1.9.0", "1.22.0", "1.21.0"):
        text = CHART.replace("version: 1.22.0", f"version: {version}")
        cache.add(write(tmp_path, {"Chart.yaml": text}))
    assert [chart.version for chart in cache.list()] == ["1.21.0", "1.22.0", "1.9.0"]


def test_a_corrupt_entry_is_an_error_that_names_the_file_and_what_to_do(cache, tmp_path):
    path = cache.add(write(tmp_path)).path
    path.write_bytes(write(tmp_path, {"README.md": "changed"}).read_bytes())
    with pytest.raises(ChartError, match="corrupt: its content has digest") as caught:
        cache.find("airflow", "1.22.0")
    assert caught.value.path == str(path)
    assert f"remove {path}" in caught.value.hint
    path.write_bytes(b"cut")
    with pytest.raises(ChartError, match="corrupt: not a usable"):
        cache.list()


def test_adding_mends_a_corrupt_entry(cache, tmp_path):
    path = cache.add(write(tmp_path)).path
    path.write_bytes(b"cut")
    cache.add(write(tmp_path))
    assert cache.find("airflow", "1.22.0") is not None


def test_an_archive_laid_into_the_folder_by_hand_counts(cache, tmp_path):
    cache.root.mkdir()
    write(cache.root)
    assert cache.find("airflow", "1.22.0").path == cache.root / "airflow-1.22.0.tgz"
    cache.add(write(tmp_path))
    assert len(cache.list()) == 1


def test_a_file_that_is_named_wrongly_is_told(cache):
    cache.root.mkdir()
    write(cache.root, name="airflow-1.21.0.tgz")
    with pytest.raises(ChartError, match=r"does not match its content \(airflow 1\.22\.0"):
        cache.find("airflow", "1.21.0")


def test_two_archives_of_one_version_need_a_digest(cache, tmp_path):
    one = cache.add(write(tmp_path))
    two = cache.add(write(tmp_path, {"README.md": "patched"}))
    with pytest.raises(ChartError, match="2 different archives"):
        cache.find("airflow", "1.22.0")
    assert cache.find("airflow", "1.22.0", digest=two.digest) == two
    assert cache.need("airflow", "1.22.0", digest=one.digest) == one


def test_a_digest_that_differs_from_the_lock_is_not_just_missing(cache, tmp_path):
    cache.add(write(tmp_path))
    with pytest.raises(ChartError, match="the lock says") as caught:
        cache.need("airflow", "1.22.0", digest="sha256:" + "0" * 64)
    assert caught.value.fault is ChartFault.DIGEST


def test_a_missing_chart_says_how_to_get_it(cache):
    with pytest.raises(ChartError, match=r"airflow 1\.22\.0 is not in the cache") as caught:
        cache.need("airflow", "1.22.0")
    assert "gen-env chart add" in caught.value.hint


def test_a_version_that_another_one_begins_with_is_not_taken_for_it(cache, tmp_path):
    text = CHART.replace("version: 1.22.0", "version: 1.22.0-rc.1")
    cache.add(write(tmp_path, {"Chart.yaml": text}))
    assert cache.find("airflow", "1.22.0") is None
    assert cache.find("airflow", "1.22.0-rc.1") is not None


@pytest.mark.parametrize("version", ["../../etc", "1/2", ""])
def test_a_version_cannot_lead_out_of_the_cache(cache, version):
    with pytest.raises(ChartError):
        cache.find("airflow", version)


def test_a_folder_that_cannot_be_written_is_an_error_for_people(cache, tmp_path):
    cache.root.write_text("a file stands where the folder should be")
    with pytest.raises(UserError, match="cannot write to the chart cache") as caught:
        cache.add(write(tmp_path))
    assert "GEN_ENV_CHART_CACHE" in caught.value.hint


def test_nothing_is_left_behind_when_the_disk_refuses(cache, tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UserError, match="No space left"):
        cache.add(write(tmp_path))
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []


def _add(root, path):
    ChartCache(root).add(path)


@pytest.mark.thorough
def test_several_processes_may_add_at_once(cache, tmp_path):
    path = write(tmp_path)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(cache.root, path)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    files = [path for path in cache.root.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert cache.find("airflow", "1.22.0") is not None


def test_a_cached_chart_may_be_removed_by_hand(cache, tmp_path):
    cache.add(write(tmp_path)).path.unlink()
    assert cache.find("airflow", "1.22.0") is None
