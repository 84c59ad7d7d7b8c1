import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.layered import Layer, alternatives, dotted, leaves, merge
from generator.definition import default_layers


def merged(*parts):
    return merge([Layer(f"layer {number}", part) for number, part in enumerate(parts)])


def test_mappings_merge_and_everything_else_replaces():
    found = merged({"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "d": {"e": 1}}, {"d": 2})
    assert found.data == {"a": {"b": 1, "c": [3]}, "d": 2}


def test_the_origin_of_a_leaf_is_the_last_layer_that_wrote_it():
    found = merged({"a": {"b": 1, "c": 1}}, {"a": {"c": 2}})
    assert found.origin(("a", "b")).source == "layer 0"
    assert found.origin(("a", "c")).source == "layer 1"
    assert found.origin(("a", "c", "deeper")).source == "layer 1", "the nearest above"
    assert found.origin(("a",)).source == "layer 0"
    assert found.origin(("z",)) is None


def test_null_resets_what_a_lower_layer_said():
    found = merged({"a": {"b": {"c": 1}}}, {"a": {"b": None}})
    assert found.data == {"a": {"b": None}}
    assert found.origin(("a", "b")).source == "layer 1"
    assert found.origin(("a", "b", "c")).source == "layer 1"


def test_merging_changes_no_layer():
    low, high = {"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}
    merged(low, high)
    assert (low, high) == ({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}})


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ({"dags": {"gitSync": {"ref": "a"}}}, {"dags": {"image": {}}}, {"dags": {"image": {}}}),
        (
            {"workers": {"replicas": "2", "concurrency": "8"}},
            {"workers": {"autoscaling": {"type": "keda"}}},
            {"workers": {"autoscaling": {"type": "keda"}, "concurrency": "8"}},
        ),
        (
            {"workers": {"autoscaling": {"type": "keda"}}},
            {"workers": {"replicas": "2"}},
            {"workers": {"replicas": "2"}},
        ),
        (
            {"database": {"embedded": "true"}},
            {"database": {"host": "pg"}},
            {"database": {"host": "pg"}},
        ),
        (
            {"broker": {"embedded": "false", "host": "redis"}},
            {"broker": {"embedded": "false"}},
            {"broker": {"embedded": "false", "host": "redis"}},
        ),
        (
            {"workers": {"autoscaling": {"type": "keda", "minReplicas": 1, "pollingInterval": 5}}},
            {"workers": {"autoscaling": {"type": "hpa", "maxReplicas": 3}}},
            {"workers": {"autoscaling": {"type": "hpa", "maxReplicas": 3}}},
        ),
        (
            {"workers": {"autoscaling": {"type": "keda", "minReplicas": 1}}},
            {"workers": {"autoscaling": {"maxReplicas": 3}}},
            {"workers": {"autoscaling": {"type": "keda", "minReplicas": 1, "maxReplicas": 3}}},
        ),
        (
            {"scheduler": {"disruptionBudget": {"maxUnavailable": "1"}}},
            {"scheduler": {"disruptionBudget": {"minAvailable": "1"}}},
            {"scheduler": {"disruptionBudget": {"minAvailable": "1"}}},
        ),
        (
            {"auth": {"oidc": {"clientId": "a"}}},
            {"auth": {"oidc": None, "defaultUser": {}}},
            {"auth": {"oidc": None, "defaultUser": {}}},
        ),
    ],
)
def test_a_layer_that_chooses_another_way_drops_the_lower_choice(low, high, expected):
    found = merged(low, high)
    assert found.data == expected


def test_both_ways_in_one_layer_stay_for_the_validation_to_refuse():
    assert merged({"dags": {"image": {}, "gitSync": {}}}).data == {
        "dags": {"image": {}, "gitSync": {}}
    }


def test_what_a_field_excludes():
    assert alternatives(("dags", "gitSync", "ref")) == [
        ("dags", "bundles"),
        ("dags", "image"),
        ("dags", "persistence"),
    ]
    assert alternatives(("workers", "replicas")) == [("workers", "autoscaling")]
    assert alternatives(("workers", "concurrency")) == []
    assert alternatives(("dags",)) == []
    assert ("database", "host") not in alternatives(("database", "name"))


def test_leaves_and_paths_read_as_people_write_them():
    data = {"a": {"b": [1], "c": {}}, "d": None}
    assert list(leaves(data)) == [(("a", "b"), [1]), (("a", "c"), {}), (("d",), None)]
    assert dotted(("dags", "bundles", 0, "name")) == "dags.bundles[0].name"
    assert dotted(()) == ""


DATA = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPING = st.dictionaries(st.sampled_from("abc"), DATA, max_size=3)


@given(MAPPING, MAPPING)
def test_every_leaf_has_an_origin_that_holds_it(low, high):
    found = merged(low, high)
    for path, value in leaves(found.data):
        if not path:
            continue
        node = found.origin(path).data
        for key in path:
            node = node[key]
        assert node == value


@given(MAPPING)
def test_an_empty_layer_and_the_same_layer_change_nothing(data):
    once = merged(data).data
    assert merged(data, {}).data == once
    assert merged(data, data).data == once


@pytest.mark.parametrize("tier", ["development", "staging", "production"])
def test_built_in_defaults_are_not_shared_between_environments(tier):
    first = merge(default_layers.layers(tier)).data
    first["scheduler"]["resources"]["requests"]["cpu"] = "changed"
    layers = default_layers.layers(tier)
    assert merge(layers).data["scheduler"]["resources"]["requests"]["cpu"] != "changed"
    assert [layer.source for layer in layers] == ["built-in", f"built-in for {tier}"]
