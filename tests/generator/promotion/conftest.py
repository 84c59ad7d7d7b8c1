import pytest

from tests.generator.promotion import world as worlds


@pytest.fixture
def world(tmp_path, forge_server, templates):
    with worlds.world(tmp_path, forge_server, templates) as made:
        yield made


@pytest.fixture
def staged(world):
    world.begin_staged()
