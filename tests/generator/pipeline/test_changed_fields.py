"""What people wrote and change: by field, masked, in one line each."""

import pytest

from generator.pipeline.changed_fields import changed_fields


def moves(base, head):
    return [(item.path, item.before, item.after) for item in changed_fields(base, head)]


def test_fields_are_named_by_their_dotted_path_in_the_order_of_the_head():
    base = {"image": {"tag": "1"}, "workers": {"replicas": "2"}, "quota": {"hard": {"pods": "9"}}}
    head = {"workers": {"replicas": "4"}, "image": {"tag": "2"}}
    assert moves(base, head) == [
        ("workers.replicas", "2", "4"),
        ("image.tag", "1", "2"),
        ("quota", "{hard: {pods: 9}}", ""),
    ]


def test_items_of_lists_are_compared_by_name_where_all_have_one():
    base = {"dags": {"bundles": [{"name": "a", "ref": "1"}, {"name": "b", "ref": "1"}]}}
    head = {"dags": {"bundles": [{"name": "b", "ref": "2"}, {"name": "a", "ref": "1"}]}}
    assert moves(base, head) == [("dags.bundles[b].ref", "1", "2")]
    assert moves({"l": ["a"]}, {"l": ["a", "b"]}) == [("l", "[a]", "[a, b]")]


@pytest.mark.parametrize("same", [{}, {"a": {"b": ["c"]}}, {"a": None}])
def test_nothing_moves_between_equal_documents(same):
    assert moves(same, same) == []


def test_a_field_without_a_value_is_not_a_field_that_is_not_there():
    assert moves({}, {"a": None}) == []
    assert moves({"a": ""}, {}) == [("a", '""', "")]
    assert moves({"a": ""}, {"a": "x"}) == [("a", '""', "x")]


def test_secrets_are_masked_and_still_shown_to_move():
    base = {"values": {"data": {"metadataConnection": {"pass": "hunter22", "host": "h"}}}}
    head = {"values": {"data": {"metadataConnection": {"pass": "hunter23", "host": "h"}}}}
    ((path, before, after),) = moves(base, head)
    assert path.endswith("pass") and (before, after) == ("<masked>", "<masked: changed>")


def test_long_and_hostile_texts_stay_one_short_visible_line():
    ((path, _, after),) = moves({}, {"a\u202e\nb": "x\n" * 500})
    assert path == "a\\u202e b" and len(after) == 200 and "\n" not in after
