"""A repository with two environments on a promotion path, its forge, and a runner over it."""

import pytest

from generator.forge.port import ForgeKind
from tests.repositories import PRODUCTION, SETTINGS, repository
from tests.service.follow_up import world as worlds


@pytest.fixture(autouse=True)
def _own_chart(own_chart):
    pass


@pytest.fixture
def template(own_chart, templates):
    return templates.place("promotion-path", promotion_path)


def promotion_path(folder):
    repo = repository(
        folder, settings=SETTINGS + worlds.POLICY, staging=worlds.STAGED, production=PRODUCTION
    )
    done = repo.run("generate")
    assert done.code == 0, done.said
    repo.init()


@pytest.fixture
def kind():
    return ForgeKind.GITEA


@pytest.fixture
def world(tmp_path, template, kind):
    with worlds.made(tmp_path, template, kind) as made:
        yield made
