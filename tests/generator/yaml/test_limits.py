"""Texts that would kill or stall a parser are refused, quickly and in words."""

import time

import pytest

from generator.yaml import limits, reader
from generator.yaml.errors import YamlError
from generator.yaml.manifests import load_manifests

ALIAS_BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGE_BOMB = "a0: &a0 {k0: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12)
)

READERS = [
    lambda text: limits.checked(text, "f.yaml"),
    lambda text: reader.read(text, "f.yaml"),
    lambda text: reader.read_all(text, "f.yaml"),
    lambda text: load_manifests(text, path="f.yaml", limits=limits.WRITTEN),
]


@pytest.mark.few(16)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 400_000, "deeper than 100"),
        ("{a: " * 80_000, "deeper than 100"),
        ("- " * 300_000, "deeper than 100"),
        ("a: " + "[" * 101 + "]" * 101, "deeper than 100"),
        (ALIAS_BOMB, "aliases expand"),
        (MERGE_BOMB, "aliases expand"),
        ("[" + "1," * 200_001 + "]", "more than 200,000 values"),
        ("a: &a [1, *a]\n", "contains it"),
        ("a: &a {b: {<<: *a}}\n", "contains it"),
        ("a: *nowhere\n", "no anchor &nowhere"),
        ("a: &x 1\n---\na: *x\n", "no anchor &x"),
        ("#" * (1 << 20) + "\n", "larger than 1,048,576 bytes"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_a_hostile_text_is_refused_quickly(reader, text, words):
    began = time.process_time()
    with pytest.raises(YamlError, match=words) as caught:
        reader(text)
    assert time.process_time() - began < 5
    assert caught.value.path == "f.yaml"
    assert caught.value.hint


def test_what_is_just_within_the_limits_is_read():
    deep = "[" * 100 + "]" * 100
    assert limits.checked(deep, "f") == deep
    many = "[" + "1," * 199_998 + "]"
    assert limits.checked(many, "f") == many


def test_a_text_that_is_not_utf_8_is_refused_with_byte_and_line():
    with pytest.raises(YamlError, match=r"not UTF-8: byte 8 ") as caught:
        reader.read(b"a: 1\nb: \xff\n", "f.yaml")
    assert (caught.value.line, caught.value.hint) == (2, "save the file as UTF-8")
    with pytest.raises(YamlError, match="not UTF-8"):
        reader.read("a: 1\n".encode("utf-16"), "f.yaml")
    with pytest.raises(YamlError, match="not UTF-8"):
        reader.read("a: \ud800\n", "f.yaml")


def test_the_limits_are_parameters():
    small = limits.Limits(size=100, depth=2, nodes=5, expanded=6)
    assert limits.checked("a: [1, 2]", "f", small)
    for text in ("a: [[1]]", "[1, 2, 3, 4, 5]", "#" * 101):
        with pytest.raises(YamlError):
            limits.checked(text, "f", small)
    with pytest.raises(YamlError, match="aliases expand"):
        limits.checked("- &a [1]\n- *a\n- *a\n", "f", limits.Limits(expanded=6))


def test_anchors_are_forgotten_between_documents_and_can_be_defined_again():
    text = "a: &x 1\nb: &x [1, 2]\nc: *x\n"
    assert reader.read(text, "f").data["c"] == ["1", "2"]
