import pytest

from tests.generator.promotion import world as worlds


@pytest.fixture
def world(tmp_path):
    with worlds.world(tmp_path) as made:
        yield made
