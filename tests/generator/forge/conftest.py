import pytest

from generator.forge.port import ForgeKind
from tests.generator.forge.forges import setting


@pytest.fixture(params=list(ForgeKind), ids=str)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def served():
    with setting() as made:
        yield made


@pytest.fixture
def world(served):
    served.store.__init__()
    served.clock.__init__()
    return served


@pytest.fixture
def store(world):
    return world.store


@pytest.fixture
def port(world, kind):
    return world.port(kind)
