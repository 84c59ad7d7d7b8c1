"""What becomes of single settings on a chart with other keys."""

import pytest

from generator.chart.key_tree import read
from generator.chart.traits import ChartTraits
from generator.release.fit import fitted, lacking
from generator.release.setting import put

CLOSED = {"type": "object", "additionalProperties": False}
SCHEMA = {
    **CLOSED,
    "properties": {
        "web": {
            **CLOSED,
            "properties": {
                "known": {},
                "env": {"items": {**CLOSED, "properties": {"name": {}, "value": {}}}},
            },
        },
        "registry": {**CLOSED, "properties": {"secretName": {"type": "string"}}},
        "dags": {**CLOSED, "properties": {"gitSync": {**CLOSED, "properties": {"wait": {}}}}},
        "workers": {**CLOSED, "properties": {"resources": {"type": "object"}}},
    },
}
CHART = ChartTraits("1.9.0", tree=read(SCHEMA, {}, {}))


def _only(*settings):
    return fitted(settings, CHART)[-1]


@pytest.mark.parametrize("value", [0, 1, "x", True, ["a"], False])
def test_a_value_in_a_section_that_the_chart_has_is_lost_and_not_off(value):
    assert _only(put("web.unknown", value)).lost


@pytest.mark.parametrize(("key", "value"), [("web.unknown", None), ("lanes.enabled", False)])
def test_nothing_and_a_switch_of_a_missing_part_are_off(key, value):
    item = _only(put(key, value))
    assert item.spelled is None and item.off and not item.lost


def test_what_belongs_to_a_part_that_is_off_is_off_too():
    switch, size = put("lanes.enabled", False), put("lanes.size", 3)
    assert not _only(switch, size).lost
    assert _only(put("lanes.enabled", True), size).lost


def test_a_list_whose_items_the_chart_does_not_take_is_lost_by_that_part():
    row = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "b", "key": "c"}}}
    setting = put("web.env", [{"name": "B", "value": "1"}, row])
    assert _only(setting).lost
    assert lacking(setting, CHART) == "web.env[].valueFrom"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("imagePullSecrets", [{"name": "pull"}], ("registry.secretName", "pull")),
        ("imagePullSecrets", [{"name": "a"}, {"name": "b"}], None),
        ("dags.gitSync.period", "1m30s", ("dags.gitSync.wait", 90)),
        ("dags.gitSync.period", "500ms", None),
        ("workers.celery.resources", {"limits": {}}, ("workers.resources", {"limits": {}})),
    ],
)
def test_an_older_name_gets_the_value_in_its_own_form(key, value, expected):
    spelled = _only(put(key, value)).spelled
    assert (spelled and (".".join(spelled.key), spelled.value)) == expected


def test_equal_settings_of_two_names_are_one_and_different_ones_are_lost():
    celery = put("workers.celery.resources", {"limits": {"cpu": "1"}})
    same = _only(celery, put("workers.kubernetes.resources", {"limits": {"cpu": "1"}}))
    assert same.off
    assert _only(celery, put("workers.kubernetes.resources", {"limits": {"cpu": "2"}})).lost
