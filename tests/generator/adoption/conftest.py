import pytest


@pytest.fixture
def chart(request):
    """A chart archive where gen-env looks for it: our stand-in, and the official one."""
    return request.getfixturevalue({"stand-in": "own_chart"}.get(request.param, "official_chart"))
