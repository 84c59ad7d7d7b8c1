"""The check's world: made anew for each test, with one chart and one render cache for all."""

import pytest

from generator.forge.port import ForgeKind
from tests.repositories import dev_and_staging
from tests.service.check import world as worlds


@pytest.fixture(autouse=True)
def _own_chart(own_chart):
    pass


@pytest.fixture
def template(own_chart, templates):
    return templates.place("dev-and-staging", dev_and_staging)


@pytest.fixture
def kind():
    return ForgeKind.GITHUB


@pytest.fixture
def world(tmp_path, template, kind):
    with worlds.made(tmp_path, template, kind) as made:
        yield made
