"""One generated repository with one environment, one chart and one render cache for all."""

import pytest

from tests.repositories import DEV, repository
from tests.standin_chart import stand_in_archive


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    root = tmp_path_factory.mktemp("caches")
    (root / "charts").mkdir()
    stand_in_archive(root / "charts")
    return root


@pytest.fixture(scope="session")
def template(tmp_path_factory, caches):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
        patch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))
        patch.delenv("GEN_ENV_CRDS", raising=False)
        repo = repository(tmp_path_factory.mktemp("template") / "repo", dev=DEV)
        done = repo.run("generate")
        assert done.code == 0, done.said
        repo.init()
    return repo.root
