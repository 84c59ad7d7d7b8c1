"""Accidents made impossible: no network but loopback, no home folder, a fixed git identity."""

import contextlib
import functools
import gc
import itertools
import os
import socket
from pathlib import Path

import pytest
import yaml

from generator.chart.cache import ChartCache
from tests import effort
from tests.renders import SharedAnswers
from tests.standin_chart import stand_in_archive
from tests.templates import Templates

# Found before the home folder is hidden: a chart that the user put into the cache.
_CACHE = Path(os.environ.get("GEN_ENV_CHART_CACHE") or Path("~/.cache/gen-env/charts").expanduser())
REAL_CHART = "1.22.0"
# Tests read and write a good deal of YAML; libyaml does the same in a tenth of the time.
yaml.safe_load = functools.partial(yaml.load, Loader=yaml.CSafeLoader)
yaml.safe_load_all = functools.partial(yaml.load_all, Loader=yaml.CSafeLoader)
yaml.safe_dump = functools.partial(yaml.dump, Dumper=yaml.CSafeDumper)
yaml.safe_dump_all = functools.partial(yaml.dump_all, Dumper=yaml.CSafeDumper)

_TOGETHER = ("tests/cluster/", "tests/service/end_to_end/test_scenarios.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests that share something heavy (a cluster, a running service) share one worker.

    So do those of a file in `make test`, where files are short: one process makes what they share.
    """
    from xdist.scheduler import LoadScopeScheduling

    by_file = effort.chosen() == "test"

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            alone = nodeid.partition("::")[0] if by_file else nodeid
            return next((place for place in _TOGETHER if nodeid.startswith(place)), alone)

    return Together(config, log)


def pytest_addoption(parser):
    parser.addoption("--set", choices=effort.SETS, default=effort.SETS[0], help=effort.__doc__)
    parser.addoption("--order", help="`reverse` or a seed: another order of the tests of a file")


_IN_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30


def _temporary_folder():
    """Where tests write: into memory, where that has much room and lets programs run.

    Tens of thousands of small files cost several times as much on a disk.
    """
    with contextlib.suppress(OSError, ValueError):
        facts = os.statvfs(_IN_MEMORY)
        free = min(
            facts.f_bavail * facts.f_frsize,
            os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        )
        if free >= _ROOM and not facts.f_flag & (os.ST_NOEXEC | os.ST_RDONLY):
            return str(_IN_MEMORY)
    return None


def pytest_configure(config):
    if folder := _temporary_folder():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)
    os.environ.setdefault("GEN_ENV_REAL_CHARTS", str(_CACHE))
    os.environ[effort.VARIABLE] = config.getoption("--set")
    effort.register_profiles()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported stays: the garbage collector shall not go through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


def pytest_collection_modifyitems(config, items):
    thinned = effort.thinned(items)
    left_out = {item for item in items if effort.is_left_out(item)} | thinned
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    kept = [item for item in items if item not in left_out]
    items[:] = effort.reordered(kept, config.getoption("--order"))


@pytest.fixture(scope="session")
def real_chart():
    """Path of the official chart's archive; skips where it is not in the cache."""
    cache = Path(os.environ["GEN_ENV_REAL_CHARTS"])
    found = sorted(
        [*cache.glob(f"airflow-{REAL_CHART}*.tgz"), *cache.glob(f"airflow-{REAL_CHART}/*.tgz")]
    )
    if not found:
        pytest.skip(f"needs the official chart: gen-env chart add airflow-{REAL_CHART}.tgz")
    return found[0]


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def templates(shared):
    """Repositories and caches that are made once in this run; a test gets a copy."""
    return Templates(shared / "templates")


@pytest.fixture
def own_chart(templates, monkeypatch):
    """The stand-in chart where gen-env looks for charts; gives the archive's path."""
    return _one_chart(templates.place("stand-in-chart", _stand_in), monkeypatch)


@pytest.fixture
def official_chart(templates, real_chart, monkeypatch):
    """The official chart where gen-env looks for charts; gives the archive's path."""
    folder = templates.place("official-chart", lambda folder: ChartCache(folder).add(real_chart))
    return _one_chart(folder, monkeypatch)


def _one_chart(cache, monkeypatch):
    # Shared by all tests: nothing may be added to it.
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(cache))
    return next(cache.glob("airflow-*.tgz"))


def _stand_in(folder):
    archive = stand_in_archive(folder)
    ChartCache(folder).add(archive)
    archive.unlink()


@pytest.fixture(scope="session")
def forge_server():
    """An address for one stand-in forge after the other, so that repositories may name it."""
    from tests.fakes import forge

    with forge.listening() as server:
        yield server


@pytest.fixture(scope="session")
def git_settings(tmp_path_factory):
    """Git without a second process for upkeep after each commit, and without samples of hooks."""
    folder = tmp_path_factory.mktemp("git")
    for name in ("hooks", "info"):
        (folder / "template" / name).mkdir(parents=True)
    file = folder / "config"
    upkeep = "[maintenance]\nauto = false\n[gc]\nauto = 0\n[core]\nfsync = none\n"
    file.write_text(f"{upkeep}[init]\ntemplateDir = {folder / 'template'}\n")
    return file


_homes = itertools.count()


@pytest.fixture(autouse=True)
def _isolated(shared, git_settings, tmp_path_factory, monkeypatch):
    """A home of its own for every test. Renders alone are shared: their key is their content."""
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_homes))
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GEN_ENV_CHART_CACHE", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(shared / "renders"))
    monkeypatch.setenv("GEN_ENV_OFFLINE", "1")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(git_settings))


@pytest.fixture(autouse=True)
def _shared_answers(request, shared, monkeypatch):
    """Helm is asked once for the same render, but by the tests of rendering itself."""
    if "tests/generator/render" not in request.node.nodeid and effort.chosen() == "test":
        answers = SharedAnswers(shared / "answers")
        monkeypatch.setattr(
            "generator.render.workers.Workers.run",
            lambda workers, job, files=None: answers.answer(workers, job, files),
        )


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch):
    """A connection to anything but this machine is a mistake in the test."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test wants to reach {address[0]}: use a server on loopback")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
