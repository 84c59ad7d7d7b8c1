"""A repository with two environments on a promotion path, its forge, and a runner over it."""

import os

import pytest

from generator.forge.port import ForgeKind
from tests.repositories import PRODUCTION, SETTINGS, repository
from tests.service.check.conftest import _caches, caches  # noqa: F401
from tests.service.follow_up import world as worlds


@pytest.fixture(scope="session")
def template(tmp_path_factory, caches):  # noqa: F811
    before = dict(os.environ)
    os.environ["GEN_ENV_CHART_CACHE"] = str(caches / "charts")
    try:
        repo = repository(
            tmp_path_factory.mktemp("after") / "repo",
            settings=SETTINGS + worlds.POLICY,
            staging=worlds.STAGED,
            production=PRODUCTION,
        )
        done = repo.run("generate")
        assert done.code == 0, done.said
        repo.init()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return repo.root


@pytest.fixture
def kind():
    return ForgeKind.GITEA


@pytest.fixture
def world(tmp_path, template, kind):
    with worlds.made(tmp_path, template, kind) as made:
        yield made
