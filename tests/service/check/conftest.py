"""The check's world: made anew for each test, with one chart and one render cache for all."""

import os

import pytest

from generator.forge.port import ForgeKind
from tests.repositories import DEV, STAGING, repository
from tests.service.check import world as worlds
from tests.standin_chart import stand_in_archive


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    root = tmp_path_factory.mktemp("caches")
    (root / "charts").mkdir()
    stand_in_archive(root / "charts")
    return root


@pytest.fixture(autouse=True)
def _caches(caches, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))
    monkeypatch.delenv("GEN_ENV_CRDS", raising=False)


@pytest.fixture(scope="session")
def template(tmp_path_factory, caches):
    """A generated repository with two environments under git."""
    before = dict(os.environ)
    os.environ["GEN_ENV_CHART_CACHE"] = str(caches / "charts")
    try:
        repo = repository(tmp_path_factory.mktemp("template") / "repo", dev=DEV, staging=STAGING)
        done = repo.run("generate")
        assert done.code == 0, done.said
        repo.init()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return repo.root


@pytest.fixture
def kind():
    return ForgeKind.GITHUB


@pytest.fixture
def world(tmp_path, template, kind):
    with worlds.made(tmp_path, template, kind) as made:
        yield made
