import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.diff import listing
from generator.diff import unified as module
from generator.diff.model import Limits
from generator.diff.unified import differing, unified

WORDS = st.lists(st.sampled_from(["a: 1", "b:", "  c: 2", "- d", ""]), max_size=30)


def patched(base, diff):
    """What `patch` makes of the base."""
    result, position = [], 0
    for line in diff.split("\n"):
        if line.startswith("@@"):
            start, _, count = line.split(" ")[1][1:].partition(",")
            first = int(start) - (1 if count != "0" else 0)
            result += base[position:first]
            position = first
        elif line.startswith("-"):
            assert base[position] == line[1:]
            position += 1
        elif line.startswith("+"):
            result.append(line[1:])
        elif line.startswith(" "):
            assert base[position] == line[1:]
            result.append(line[1:])
            position += 1
    return result + base[position:]


@given(WORDS, WORDS)
def test_the_diff_leads_from_base_to_head(base, head):
    found = unified(base, head, Limits())
    assert patched(base, found.text) == head
    assert len(base) - found.removed + found.added == len(head)


@given(WORDS, WORDS)
def test_the_diff_is_correct_when_stretches_are_too_large_to_compare(base, head):
    limit, module._MAX_PRODUCT = module._MAX_PRODUCT, 4
    try:
        assert patched(base, unified(base, head, Limits()).text) == head
    finally:
        module._MAX_PRODUCT = limit


def test_equal_texts_have_no_diff():
    assert unified(["a"], ["a"], Limits()).text == ""


def test_a_header_names_the_path_it_stands_in():
    base = ["kind: X", "spec:", "  template:", "    containers:", "    - name: a", "      image: b"]
    head = [*base[:-1], "      image: c"]
    assert unified(base, head, Limits()).text.startswith(
        "@@ -3,4 +3,4 @@ spec.template.containers[a]\n"
    )


@pytest.mark.parametrize(
    ("base", "head", "path"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "spec.containers[two].env[b]"),
        ({"a": "1", "b": "2"}, {"b": "2"}, "spec.containers[two].env[a]"),
        ({"a": "1"}, {"a": "1", "b": "2"}, "spec.containers[two].env[b]"),
    ],
)
def test_a_header_names_the_item_of_each_list(base, head, path):
    before, after = (
        listing.lines(
            {
                "spec": {
                    "containers": [
                        {"name": "one", "args": ["x", "y"], "image": "i"},
                        {"name": "two", "env": [{"name": k, "value": v} for k, v in env.items()]},
                    ]
                }
            }
        )
        for env in (base, head)
    )
    assert unified(before, after, Limits()).text.split("\n")[0].endswith(f"@@ {path}")


def test_an_item_without_a_name_takes_none_of_its_neighbours():
    base = listing.lines({"l": [{"name": "a", "x": 1}, {"x": 2}]})
    head = listing.lines({"l": [{"name": "a", "x": 1}, {"x": 3}]})
    assert unified(base, head, Limits()).text.split("\n")[0].endswith("@@ l")


def test_far_changes_stand_in_hunks_of_their_own():
    base = [str(number) for number in range(40)]
    head = ["x", *base[1:-1], "y"]
    assert unified(base, head, Limits()).text.count("@@ -") == 2


@pytest.mark.few(2)
@pytest.mark.parametrize("lines", [4_000, 60_000])
@pytest.mark.parametrize("kind", ["unique", "repeated", "shuffled"])
def test_time_is_bounded_for_huge_texts(lines, kind):
    numbers = random.Random(1)
    base = [f"key{numbers.randrange(5 if kind == 'repeated' else lines)} = x" for _ in range(lines)]
    head = [line if numbers.random() < 0.9 else line + "y" for line in base]
    if kind == "shuffled":
        numbers.shuffle(head)
    start = time.process_time()
    list(differing(base, head))
    assert time.process_time() - start < 10
