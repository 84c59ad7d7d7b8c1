"""A check that may only take so much renders as any other comparison does."""

import pytest

from generator.core.errors import UserError
from generator.render import normalise
from generator.render.cache import CachedRenderer, RenderCache
from generator.render.request import RenderResult
from service.check.prepare import Bounded
from tests.generator.chart.samples import write
from tests.generator.render.samples import request


class Dice:
    """Renders a Secret with another value each time."""

    count = 0

    def engine_version(self):
        return "dice"

    def render(self, request):
        self.count += 1
        secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"key": str(self.count)}}
        return RenderResult((secret,), "", (), "dice")


@pytest.mark.parametrize("cached", [True, False])
def test_what_each_render_generates_again_is_named(tmp_path, cached):
    renderer = CachedRenderer(Dice(), RenderCache(tmp_path / "kept")) if cached else Dice()
    found = normalise.render(Bounded(renderer, 60), request(write(tmp_path)), ())
    assert [field.field for field in found.random] == ["data.key"]
    assert found.manifests[0]["data"] == {"key": normalise.MADE_UP}


def test_a_second_render_counts(tmp_path):
    bounded = Bounded(Dice(), 60, most=1)
    bounded.render(request(write(tmp_path)))
    with pytest.raises(UserError, match="more than 1 objects"):
        bounded.again(request(write(tmp_path)))
