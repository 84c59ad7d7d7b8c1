"""What every render makes up anew is named, and does not show as a change."""

import pytest

from generator.kube.resource import key_of
from generator.release.v1.nondeterminism import PINS
from generator.render import clock, normalise
from generator.render.cache import CachedRenderer, RenderCache
from generator.render.engine import SdkEngine
from generator.render.nondeterminism import RandomField
from generator.render.request import RenderFailure, RenderResult
from tests.generator.chart.samples import write
from tests.generator.render.samples import request

STAMPED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: at}
data: {at: {{ now | date "15:04:05" | quote }}}
"""


@pytest.fixture
def chart(tmp_path):
    return write(tmp_path)


@pytest.mark.parametrize("kept", [True, False])
def test_two_renders_of_different_values_differ_in_what_was_changed_alone(chart, tmp_path, kept):
    engine = SdkEngine()
    renderer = CachedRenderer(engine, RenderCache(tmp_path / "kept")) if kept else engine
    sides = []
    for number in (1, 2):
        asked = request(chart, {"staticKey": "", "scheduler": {"replicas": number}})
        steady = normalise.render(renderer, asked, PINS)
        assert [field.field for field in steady.random] == ["data.api-secret-key"]
        sides.append({item["kind"]: item for item in steady.manifests})
    differing = [kind for kind in sides[0] if sides[0][kind] != sides[1][kind]]
    assert differing == ["Deployment"]
    assert sides[0]["Secret"]["data"] == {"api-secret-key": normalise.MADE_UP}


def test_a_chart_whose_secrets_are_fixed_stays_as_it_is(chart):
    engine = SdkEngine()
    plain = engine.render(request(chart))
    steady = normalise.render(engine, request(chart), PINS)
    assert steady.manifests == plain.manifests and steady.random == ()


def test_a_failing_render_is_passed_on(chart):
    found = normalise.render(SdkEngine(), request(chart, {"executor": 1}), PINS)
    assert isinstance(found, RenderFailure)


class Dice:
    """Renders another object each time; counts."""

    def __init__(self, *kinds):
        self.kinds = kinds
        self.count = 0

    def engine_version(self):
        return "dice"

    def render(self, request):
        self.count += 1
        value = {"x": str(self.count), "same": "1", f"only{self.count}": "1", "list": [self.count]}
        return RenderResult(
            tuple(
                {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "data": value}
                for kind in self.kinds
            ),
            "",
            (),
            "dice",
        )


def test_without_secrets_there_is_one_render(chart):
    dice = Dice("ConfigMap")
    assert normalise.render(dice, request(chart), ()).random == () and dice.count == 1


@pytest.mark.few(1)
@pytest.mark.parametrize("time", ["{{ now | unixEpoch }}", '{{ date "15:04:05" "" }}'])
def test_a_value_that_shows_the_time_in_seconds_is_random_each_time(chart, time):
    engine = SdkEngine()
    asked = request(chart, {"config": {"at": f"since {time}"}})
    for _ in range(3):
        [field] = normalise.render(engine, asked, PINS).random
        assert field.field == "data.at"


def test_a_chart_that_shows_the_time_is_rendered_twice_without_secrets_too(tmp_path):
    stamped = write(tmp_path, {"templates/at.yaml": STAMPED, "templates/secrets.yaml": None})
    [field] = normalise.render(SdkEngine(), request(stamped), PINS).random
    assert (field.resource.name, field.field) == ("at", "data.at")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{{ now }}", True),
        ('{{ dateInZone "15" "" "UTC" }}', True),
        ("{{ htmlDate 0 }}", True),
        ("now {{ .Values.x }} now", False),
        ("{{ .known }}{{ .update }}", False),
    ],
)
def test_the_clock_is_read_by_a_function_in_an_action_alone(chart, text, answer):
    assert clock.is_read(request(chart, {"x": [text]})) is answer


def test_without_a_chart_nothing_reads_the_clock(tmp_path):
    assert not clock.is_read(request(tmp_path / "none.tgz", {"x": "{{ now }}"}))


def test_examples_in_comments_of_the_default_values_read_no_clock(tmp_path):
    commented = write(tmp_path, {"values.yaml": "# {{ now }}\nx: y\n"})
    assert not clock.is_read(request(commented))
    used = write(tmp_path, {"values.yaml": "x: '{{ now }}'\n"}, name="used.tgz")
    assert clock.is_read(request(used))


def test_what_differs_is_settled_at_any_depth(chart):
    dice = Dice("Secret", "ConfigMap")
    steady = normalise.render(dice, request(chart), ())
    made_up = normalise.MADE_UP
    want = {"x": made_up, "same": "1", "only1": made_up, "list": [made_up]}
    assert [item["data"] for item in steady.manifests] == [want, want] and dice.count == 2


def test_one_problem_for_each_setting_names_the_fields_and_no_value():
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    key = key_of(manifest, "ns")
    pinned = [RandomField(key, f"data.{number}", ("one", "two")) for number in range(7)]
    found = list(
        normalise.problems([*pinned, RandomField(key, "z", ())], environment="e", path="p")
    )
    assert [item.hint for item in found] == ["set one or two", ""]
    assert "data.4 and 2 more" in found[0].message and found[0].rule == "render/random"
