import dataclasses
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.core.problem import Problem, Severity
from generator.render.cache import CachedRenderer, RenderCache, cache_key, cache_root
from generator.render.request import RenderFailure, RenderResult
from tests.generator.chart.samples import write
from tests.generator.render.samples import request

RESULT = RenderResult(
    manifests=({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ü\ud800"}},),
    notes="the password is x",
    problems=(Problem("chart/deprecated", Severity.WARNING, "old", hint="new"),),
    engine="e 1",
)
KEY = "ab" + "0" * 62


@dataclasses.dataclass
class Engine:
    """Counts its renders; fails for the release `bad`."""

    version: str = "engine 1"
    renders: int = 0

    def engine_version(self):
        return self.version

    def render(self, request):
        self.renders += 1
        return RenderFailure("template", "no") if request.release == "bad" else RESULT


@pytest.fixture
def cache(tmp_path):
    return RenderCache(tmp_path / "renders")


@pytest.fixture
def chart(tmp_path):
    return write(tmp_path)


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"GEN_ENV_RENDER_CACHE": "/srv/r", "XDG_CACHE_HOME": "/x"}, "/srv/r"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/gen-env/renders"),
        ({}, "/home/ann/.cache/gen-env/renders"),
    ],
)
def test_the_environment_says_where_renders_are_kept(environ, root, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert cache_root(environ) == Path(root)


def test_a_result_comes_back_as_it_was(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, RESULT)
    assert cache.get(KEY) == RESULT


def test_a_render_happens_once(cache, chart):
    engine = Engine()
    renderer = CachedRenderer(engine, cache)
    assert [renderer.render(request(chart)) for _ in range(3)] == [RESULT] * 3
    assert engine.renders == 1
    assert renderer.engine_version() == "engine 1"


def test_a_failure_is_tried_anew(cache, chart):
    engine = Engine()
    renderer = CachedRenderer(engine, cache)
    for _ in range(2):
        assert isinstance(renderer.render(request(chart, release="bad")), RenderFailure)
    assert engine.renders == 2


def test_a_missing_chart_is_the_engines_business(cache, tmp_path):
    engine = Engine()
    CachedRenderer(engine, cache).render(request(tmp_path / "none.tgz"))
    assert engine.renders == 1


@pytest.mark.parametrize(
    "change",
    [
        {"release": "other"},
        {"namespace": "other"},
        {"kube_version": "1.33.0"},
        {"api_versions": ()},
        {"include_crds": True},
        {"values": {"a": 2}},
        {"values": {"a": "1"}},
        {"values": {"a": True}},
    ],
)
def test_everything_that_matters_is_in_the_key(chart, change):
    base = request(chart, {"a": 1})
    values = {"values": {"staticKey": "fixed", **change["values"]}} if "values" in change else {}
    assert cache_key(dataclasses.replace(base, **{**change, **values}), "e") != cache_key(base, "e")


def test_engine_and_chart_content_are_in_the_key_but_not_the_place(chart, tmp_path):
    base = cache_key(request(chart), "e 1")
    assert cache_key(request(chart), "e 2") != base
    (tmp_path / "else").mkdir()
    assert cache_key(request(write(tmp_path / "else")), "e 1") == base
    assert cache_key(request(write(tmp_path, {"README.md": "x"})), "e 1") != base


def test_the_order_of_values_and_api_versions_is_not_in_the_key(chart):
    one = request(chart, {"a": 1, "b": 2}, api_versions=("x/v1", "y/v1", "x/v1"))
    other = request(chart, {"b": 2, "a": 1}, api_versions=("y/v1", "x/v1"))
    assert cache_key(one, "e") == cache_key(other, "e")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"Secret", b"Sacred"),
        lambda data: b"",
        lambda data: b"\xff" * 100,
        lambda data: data.split(b"\n", 1)[1],
    ],
)
def test_a_damaged_entry_is_ignored_and_made_anew(cache, chart, damage):
    engine = Engine()
    renderer = CachedRenderer(engine, cache)
    renderer.render(request(chart))
    (entry,) = cache.root.glob("*/*.render")
    entry.write_bytes(damage(entry.read_bytes()))
    assert renderer.render(request(chart)) == RESULT
    assert engine.renders == 2
    assert cache.get(entry.stem) == RESULT


def test_an_entry_under_another_key_is_ignored(cache):
    cache.put(KEY, RESULT)
    other = KEY.replace("0", "1")
    (cache.root / "ab" / f"{KEY}.render").rename(cache.root / "ab" / f"{other}.render")
    assert cache.get(other) is None


def test_others_cannot_read_what_is_kept(cache):
    cache.put(KEY, RESULT)
    (entry,) = cache.root.glob("*/*.render")
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(cache.root.stat().st_mode) == 0o700


def test_a_folder_that_was_open_to_others_is_closed(cache):
    cache.root.mkdir(mode=0o755)
    cache.put(KEY, RESULT)
    assert stat.S_IMODE(cache.root.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_refused(cache, monkeypatch):
    cache.root.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: cache.root.stat().st_uid + 1)
    with pytest.raises(UserError, match="another user"):
        cache.put(KEY, RESULT)
    with pytest.raises(UserError, match="another user"):
        cache.get(KEY)


def test_an_entry_of_somebody_else_is_none(cache, monkeypatch):
    """Put there while the folder was open to others."""
    cache.put(KEY, RESULT)
    real = os.fstat

    def owned(file):
        return os.stat_result((*real(file)[:4], os.geteuid() + 1, *real(file)[5:]))

    monkeypatch.setattr(os, "fstat", owned)
    assert cache.get(KEY) is None
    monkeypatch.undo()
    assert cache.get(KEY) == RESULT


def test_what_was_not_used_for_longest_goes_first(cache):
    keys = [f"{n:064x}" for n in range(4)]
    for at, key in enumerate(keys):
        cache.put(key, RESULT)
        os.utime(cache.root / key[:2] / f"{key}.render", (at, at))
    size = (cache.root / keys[0][:2] / f"{keys[0]}.render").stat().st_size
    assert cache.get(keys[0]) == RESULT  # which makes it the newest
    RenderCache(cache.root, max_bytes=2 * size).evict()
    assert [key for key in keys if cache.get(key)] == [keys[0], keys[3]]


def test_the_size_stays_bounded_without_anybody_asking(tmp_path):
    cache = RenderCache(tmp_path / "renders", max_bytes=20_000)
    for n in range(200):
        cache.put(f"{n:064x}", RESULT)
    size = sum(path.stat().st_size for path in cache.root.glob("*/*.render"))
    assert 10_000 < size <= 20_000 * 17 / 16


@pytest.mark.parametrize("problem", [PermissionError(13, "x"), OSError(28, "No space left")])
def test_a_disk_that_refuses_loses_the_entry_not_the_render(cache, chart, monkeypatch, problem):
    def refuse(self, target):
        raise problem

    monkeypatch.setattr(Path, "replace", refuse)
    assert CachedRenderer(Engine(), cache).render(request(chart)) == RESULT
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []


def _fill(root, start):
    cache = RenderCache(root, max_bytes=30_000)
    for n in range(start, start + 40):
        key = f"{n % 50:064x}"
        cache.put(key, RESULT)
        kept = cache.get(key)
        if kept is not None and kept != RESULT:
            raise SystemExit("a reader saw half an entry")


@pytest.mark.thorough
def test_several_processes_may_write_read_and_evict_at_once(cache):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fill, args=(cache.root, n * 20)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]


def test_who_watches_is_told_what_was_rendered_what_was_kept_and_what_failed(cache, chart):
    told = []
    renderer = CachedRenderer(Engine(), cache, told.append)
    renderer.render(request(chart))
    renderer.render(request(chart))
    renderer.again(request(chart))
    renderer.render(request(chart, release="bad"))
    renderer.render(request(Path("/nowhere.tgz")))
    assert [render.outcome for render in told] == [
        "rendered",
        "cached",
        "rendered",
        "failed",
        "rendered",
    ]
    assert all(render.seconds >= 0 for render in told)
