"""Accidents made impossible: no network but loopback, no home folder, a fixed git identity."""

import os
import socket
from pathlib import Path

import hypothesis
import pytest

# Found before the home folder is hidden: a chart that the user put into the cache.
_CACHE = Path(os.environ.get("GEN_ENV_CHART_CACHE") or Path("~/.cache/gen-env/charts").expanduser())
REAL_CHART = "1.22.0"


# The same examples every time, and no word on how long they took: speed is for `make bench`.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("steady")


_TOGETHER = ("tests/cluster/", "tests/service/end_to_end/test_scenarios.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests that share something heavy (a cluster, a running service) share one worker."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return next((place for place in _TOGETHER if nodeid.startswith(place)), nodeid)

    return Together(config, log)


def pytest_configure(config):
    os.environ.setdefault("GEN_ENV_REAL_CHARTS", str(_CACHE))


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


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory, monkeypatch):
    """A home of its own for every test; caches start empty."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "GEN_ENV_CHART_CACHE",
        "GEN_ENV_RENDER_CACHE",
        "KUBECONFIG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEN_ENV_OFFLINE", "1")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch):
    """A connection to anything but this machine is a mistake in the test."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test wants to reach {address[0]}: use a server on loopback")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
