import pytest

from generator.chart.cache import ChartCache
from tests.standin_chart import stand_in_archive


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    return stand_in_archive(tmp_path_factory.mktemp("stand-in"))


def _use(archive, folder, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(folder))
    return ChartCache.from_environment().add(archive).path


@pytest.fixture
def chart(request, tmp_path, monkeypatch):
    """A chart archive in this test's cache: our stand-in, and the official one."""
    name = "stand_in" if request.param == "stand-in" else "real_chart"
    return _use(request.getfixturevalue(name), tmp_path / "charts", monkeypatch)


@pytest.fixture
def own_chart(stand_in, tmp_path, monkeypatch):
    """The stand-in alone, where the chart does not matter."""
    return _use(stand_in, tmp_path / "charts", monkeypatch)
