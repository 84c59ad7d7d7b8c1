"""Cleaning up: by age and size, never what somebody works in, by one process at a time."""

import dataclasses
import os
import subprocess
import sys
import tempfile
import time

import pytest

from generator.chart.cache import ChartCache
from generator.git.mirror import Mirror
from generator.render.cache import RenderCache
from service.settings.resolve import load
from service.store import folder_locks
from service.worker.cleanup import own_folder, size_of, tidy
from tests.service import scene

NOW = time.time()
DAY = 86_400


@pytest.fixture
def settings(tmp_path):
    path = scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080)
    made = load(path, {})
    made.data_dir.mkdir()
    return made


def limited(settings, **limits):
    return scene.changed(settings, limits=scene.changed(settings.limits, **limits))


def mirror(settings, name, *, days=0.0, size=0, part="mirrors"):
    """A mirror that was last used so many days ago, with a file of that size in it."""
    gitdir = settings.data_dir / part / f"{name}.git"
    with folder_locks.in_use(gitdir):
        made = Mirror.open(gitdir)
    if size:
        (gitdir / "weight").write_bytes(b"x" * size)
    at = NOW - days * DAY
    os.utime(gitdir.with_name(f"{gitdir.name}.use"), (at, at))
    return made


def kept(settings, part="mirrors"):
    return sorted(path.name for path in (settings.data_dir / part).glob("*") if path.is_dir())


def test_mirrors_that_nobody_used_for_long_go(settings):
    for part in ("mirrors", "poll"):
        mirror(settings, "old", days=31, part=part)
        mirror(settings, "new", days=29, part=part)
    assert tidy(settings, NOW, 0)
    assert kept(settings) == kept(settings, "poll") == ["new.git"]


def test_of_too_much_those_used_longest_ago_go(settings):
    for name, days in (("a", 3), ("b", 1), ("c", 2)):
        mirror(settings, name, days=days, size=400_000)
    assert tidy(limited(settings, mirror_bytes=1_000_000), NOW, 0)
    assert kept(settings) == ["b.git", "c.git"]


def test_a_mirror_that_a_run_works_in_stays(settings):
    made = mirror(settings, "old", days=99, size=400_000)
    program = (
        "import sys; from pathlib import Path; from service.store import folder_locks\n"
        "with folder_locks.in_use(Path(sys.argv[1])):\n"
        "    print('in', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, made.gitdir],
        env=scene.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == b"in\n"
        at = NOW - 99 * DAY
        os.utime(made.gitdir.with_name("old.git.use"), (at, at))
        assert tidy(limited(settings, mirror_bytes=1), NOW, 0)
        assert kept(settings) == ["old.git"]
        other.kill()  # a killed process holds nothing
    assert tidy(settings, NOW, 0)
    assert kept(settings) == []


def test_a_removed_mirror_is_made_anew_by_the_next_run(settings):
    made = mirror(settings, "old", days=99)
    tidy(settings, NOW, 0)
    with folder_locks.in_use(made.gitdir):
        assert (Mirror.open(made.gitdir).gitdir / "HEAD").is_file()
    # And was used just now.
    tidy(settings, NOW + DAY, 0)
    assert kept(settings) == ["old.git"]


def test_refs_of_killed_runs_are_forgotten_once_a_week(settings):
    made = mirror(settings, "one")
    tree = made.git.run("mktree", stdin=b"").stdout.decode().strip()
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
    git = dataclasses.replace(made.git, environment={**made.git.environment, **who})
    commit = git.run("commit-tree", "-m", "x", tree).stdout.decode().strip()
    made.git.run("update-ref", "refs/w/dead/head", commit)
    tidy(settings, NOW, 0)
    assert made.resolve("refs/w/dead/head") is None
    made.git.run("update-ref", "refs/w/later/head", commit)
    tidy(settings, NOW + DAY, 0)
    assert made.resolve("refs/w/later/head") == commit
    tidy(settings, NOW + 8 * DAY, 0)
    assert made.resolve("refs/w/later/head") is None


def test_renders_and_unpacked_charts_of_others_go_by_age_and_charts_that_people_laid_there_stay(
    settings,
):
    renders, charts = RenderCache.from_environment().root, ChartCache.from_environment().root
    paths = {
        "render": renders / "ab" / "old.render",
        "vendored": charts / "vendored" / "airflow-1.0.0-x.tgz",
        "chart": charts / "airflow-1.22.0.tgz",
        "fresh": renders / "ab" / "new.render",
    }
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        at = NOW - (1 if name == "fresh" else 31) * DAY
        os.utime(path, (at, at))
    tidy(settings, NOW, 0)
    assert [name for name, path in paths.items() if path.exists()] == ["chart", "fresh"]


def test_temporary_folders_of_the_killed_go_and_those_of_the_living_stay(settings):
    program = (
        "import os, sys, tempfile; from pathlib import Path\n"
        "from service.worker.cleanup import own_folder\n"
        "with own_folder(Path(sys.argv[1]), 'other'):\n"
        "    tempfile.mkdtemp(); print('in', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, settings.data_dir],
        env=scene.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == b"in\n"
        tidy(settings, NOW, 0)
        assert kept(settings, "tmp") == ["other"]
        assert len(list((settings.data_dir / "tmp" / "other").iterdir())) == 1
        other.kill()
    tidy(settings, NOW, 0)
    assert list((settings.data_dir / "tmp").iterdir()) == []


def test_a_process_that_ends_takes_its_temporary_folder_along(settings):
    before = tempfile.gettempdir()
    with own_folder(settings.data_dir, "me"):
        assert tempfile.gettempdir() == str(settings.data_dir / "tmp" / "me")
        tempfile.mkdtemp()
    assert tempfile.gettempdir() == before
    assert list((settings.data_dir / "tmp").iterdir()) == []


def test_one_process_of_a_host_cleans_up_in_each_interval(settings):
    assert tidy(settings, NOW, 600)
    assert not tidy(settings, NOW + 599, 600)
    assert tidy(settings, NOW + 601, 600)
    with folder_locks.alone(settings.data_dir / "tidy") as mine:
        assert mine
        assert not tidy(settings, NOW + 9999, 600)


def test_sizes_are_those_of_all_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"x" * 10)
    (tmp_path / "a" / "b" / "two").write_bytes(b"x" * 5)
    (tmp_path / "a" / "link").symlink_to("/nowhere")
    assert size_of(tmp_path) == 15 + len("/nowhere")
