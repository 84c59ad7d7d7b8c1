"""The proof sees every difference and forgives only what is random on both sides."""

import copy

import pytest

from generator.adoption.proof import Rendered, compare_sides, rendered
from generator.render.engine import SdkEngine
from tests.generator.chart.samples import write
from tests.generator.render.samples import request

POD = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "labels": {"chart": "airflow-1.22.0"}},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"annotations": {"checksum/db-secret": "1", "checksum/config": "1"}}
        },
    },
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k"}, "data": {"k": "b25l"}}


def twice(*items, second=None):
    return Rendered(items, second or copy.deepcopy(items))


def changed(item, *path, value):
    result = copy.deepcopy(item)
    node = result
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return result


def test_the_same_is_equal():
    assert compare_sides(twice(POD, SECRET), twice(POD, SECRET), "n").equal


@pytest.mark.parametrize(
    "other",
    [
        changed(POD, "metadata", "labels", "chart", value="airflow-1.22.1"),
        changed(POD, "metadata", "labels", "heritage", value="Helm"),
        changed(POD, "spec", "replicas", value=True),
        changed(POD, "spec", "replicas", value="1"),
        changed(POD, "spec", "template", "metadata", "annotations", value={}),
        changed(POD, "apiVersion", value="apps/v1beta1"),
    ],
    ids=["chart label", "label", "true for 1", "text for 1", "checksum", "version"],
)
def test_any_difference_counts_noise_included(other):
    assert not compare_sides(twice(POD), twice(other), "n").equal
    assert not compare_sides(twice(other), twice(POD), "n").equal


def test_an_object_more_or_less_counts():
    assert not compare_sides(twice(POD), twice(POD, SECRET), "n").equal
    assert not compare_sides(twice(POD, SECRET), twice(POD), "n").equal


def test_what_both_sides_draw_anew_is_told_and_forgiven():
    before = twice(SECRET, second=(changed(SECRET, "data", "k", value="dHdv"),))
    after = twice(
        changed(SECRET, "data", "k", value="eA=="),
        second=(changed(SECRET, "data", "k", value="eQ=="),),
    )
    proof = compare_sides(before, after, "n")
    assert proof.equal
    assert proof.random == ("Secret n/k: data.k",)


def test_what_stops_being_random_is_a_difference():
    before = twice(SECRET, second=(changed(SECRET, "data", "k", value="dHdv"),))
    fixed = changed(SECRET, "data", "k", value="eA==")
    assert not compare_sides(before, twice(fixed), "n").equal
    assert not compare_sides(twice(fixed), before, "n").equal


def test_only_the_named_secret_may_go_and_only_its_checksum_may_differ():
    new = changed(
        POD, "spec", "template", "metadata", "annotations", "checksum/db-secret", value="2"
    )
    proof = compare_sides(twice(POD, SECRET), twice(new), "n", frozenset({"k"}))
    assert proof.equal
    assert (proof.gone, proof.restarts) == (("k",), ("Deployment n/a",))
    assert not compare_sides(twice(POD, SECRET), twice(new), "n", frozenset({"other"})).equal
    config = changed(
        POD, "spec", "template", "metadata", "annotations", "checksum/config", value="2"
    )
    assert not compare_sides(twice(POD, SECRET), twice(config), "n", frozenset({"k"})).equal


def test_the_two_renders_of_a_side_begin_in_different_seconds_where_it_shows_the_time(tmp_path):
    asked = request(write(tmp_path), {"config": {"at": "{{ now | unixEpoch }}"}})
    for _ in range(2):
        sides = rendered(SdkEngine(), asked, "values")
        assert compare_sides(sides, sides, "team").random
