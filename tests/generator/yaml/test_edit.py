"""Edits change one value; every other byte of what a person wrote stays."""

import difflib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from generator.yaml import edit, reader
from generator.yaml.edit import alike, as_read, get, with_value, without
from generator.yaml.errors import YamlError
from generator.yaml.scalars import Plain
from generator.yaml.writer import Layout, source
from tests.effort import examples

TEXT = """\
# head
apiVersion: gen-env.dev/v1   # one
b: 'x' # two
c: {d: 1, e: "q"}   # flow
list:
    - name: z
      v: 1
    # between
    - name: last
text: |
    hello
    # no comment

# tail of text
deep:
    er:
        x: 3
        # inner comment
    empty:   # nothing
tags: [1, 2]
"""


def changes(before, after):
    """Removed and added lines, in order, as `-line` and `+line`."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


SCALARS = [
    (("apiVersion",), "gen-env.dev/v2", ["apiVersion: gen-env.dev/v2   # one"]),
    (("b",), "it's", ["b: 'it''s' # two"]),
    (("b",), "line\nbreak", ['b: "line\\nbreak" # two']),
    (("c", "d"), 2, ['c: {d: 2, e: "q"}   # flow']),
    (("c", "d"), "2", ['c: {d: "2", e: "q"}   # flow']),
    (("c", "d"), Plain("1e3"), ['c: {d: 1e3, e: "q"}   # flow']),
    (("c", "d"), "a, b", ['c: {d: "a, b", e: "q"}   # flow']),
    (("c", "e"), 'say "hi"', ['c: {d: 1, e: "say \\"hi\\""}   # flow']),
    (("c", "e"), True, ["c: {d: 1, e: true}   # flow"]),
    (("list", 1, "name"), "https://x/?a=b", ["    - name: https://x/?a=b"]),
    (("list", 1, "name"), "# no", ['    - name: "# no"']),
    (("list", 1, "name"), None, ["    - name: null"]),
    (("deep", "empty"), "x", ["    empty: x   # nothing"]),
    (("tags", 0), 1.5, ["tags: [1.5, 2]"]),
]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("path", "value", "added"), SCALARS)
def test_a_scalar_takes_the_place_and_the_quotes_of_the_old_one(path, value, added, ending, mark):
    before = mark + TEXT.replace("\n", ending)
    after = edit.set_scalar(before, path, value)
    assert [line[1:] for line in changes(before, after) if line[0] == "+"] == added
    assert len(changes(before, after)) == 2
    assert after.count(ending) == before.count(ending)
    assert after.startswith(mark + "# head")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("new\nlines\n", "text: |\n    new\n    lines\n\n# tail of text\n"),
        ("new\nlines", "text: |-\n    new\n    lines\n\n# tail of text\n"),
        ("short", "text: short\n\n# tail of text\n"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_literal_block_is_replaced_and_what_follows_it_stays(value, expected, ending):
    after = edit.set_scalar(TEXT.replace("\n", ending), ("text",), value)
    assert expected.replace("\n", ending) in after


def test_setting_what_is_there_changes_no_byte():
    for text in (TEXT, "\ufeff" + TEXT.replace("\n", "\r\n"), TEXT.rstrip("\n")):
        document = reader.read(text, "f")
        for path, mark in document.marks.items():
            value = get(document.data, path)
            assert edit.set_value(text, path, value) == text
            if mark.kind == "scalar":
                assert edit.set_scalar(text, path, value) == text


VALUES = [
    (("deep", "empty"), {"k": {"v": [1, "1"]}}, [
        "+        k:", "+            v:", "+                - 1", '+                - "1"',
    ]),
    (("deep", "er", "new", "er"), 5, ["+        new:", "+            er: 5"]),
    (("list", 2), {"name": "y", "w": 1}, ['+    - name: "y"', "+      w: 1"]),
    (("c", "f"), [1, {"a": "b"}], [
        '-c: {d: 1, e: "q"}   # flow', '+c: {d: 1, e: "q", f: [1, {a: b}]}   # flow',
    ]),
    (("new",), {"a": "y"}, ["+new:", '+    a: "y"']),
    (("apiVersion",), {"b": 1}, [
        "-apiVersion: gen-env.dev/v1   # one", "+apiVersion:   # one", "+    b: 1",
    ]),
    (("list", 0), "x", ["-    - name: z", "-      v: 1", "+    - x"]),
    (("list", 0), {"name": "z", "v": 2}, ["-      v: 1", "+      v: 2"]),
    (("deep",), {"er": {"x": 4}}, ["-        x: 3", "+        x: 4", "-    empty:   # nothing"]),
    (("tags",), [1], ["-tags: [1, 2]", "+tags: [1]"]),
    (("tags",), [1, 2, "3"], ["-tags: [1, 2]", '+tags: [1, 2, "3"]']),
    (("tags",), {}, ["-tags: [1, 2]", "+tags: {}"]),
]  # fmt: skip


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(("path", "value", "expected"), VALUES)
def test_any_value_is_set_or_inserted_and_the_rest_stays(path, value, expected, ending):
    before = TEXT.replace("\n", ending)
    after = edit.set_value(before, path, value)
    assert changes(before, after) == expected
    assert after.count("\n") == after.count(ending)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a:\n  b: 1\n"),
        ("# only a comment\n", "# only a comment\na:\n  b: 1\n"),
        ("c: 1", "c: 1\na:\n  b: 1\n"),
        ("---\nc: 1\n...\n", "---\nc: 1\na:\n  b: 1\n...\n"),
        ("{}\n", "{a: {b: 1}}\n"),
        ("{c: 1,\n}\n", "{c: 1, a: {b: 1},\n}\n"),
        ("~\n", "a:\n  b: 1\n"),
        ("c: |\n  x\n\n# end\n", "c: |\n  x\na:\n  b: 1\n\n# end\n"),
        ("c: |+\n  x\n\n", "c: |+\n  x\n\na:\n  b: 1\n"),
        ("x: &x {c: 1}\na:\n  <<: *x\n", "x: &x {c: 1}\na:\n  <<: *x\n  b: 1\n"),
        ("x: &x {c: 1}\na: {<<: *x}\n", "x: &x {c: 1}\na: {<<: *x, b: 1}\n"),
        ("x: &x {b: 2}\na:\n  <<: *x\n", "x: &x {b: 2}\na:\n  <<: *x\n  b: 1\n"),
        ("a: ~\n", "a:\n  b: 1\n"),
        ("a: {}  # none\n", "a: {b: 1}  # none\n"),
        ("a:\n- x\n", "a:\n  b: 1\n"),
    ],
)
def test_a_missing_key_is_added_to_any_layout(text, expected):
    if "- x" in text:
        assert edit.set_value(text, ("a",), {"b": 1}) == expected
    else:
        assert edit.set_value(text, ("a", "b"), 1) == expected


REMOVED = [
    (("apiVersion",), ["-apiVersion: gen-env.dev/v1   # one"]),
    (("c", "d"), ['-c: {d: 1, e: "q"}   # flow', '+c: {e: "q"}   # flow']),
    (("c", "e"), ['-c: {d: 1, e: "q"}   # flow', "+c: {d: 1}   # flow"]),
    (("list", 0), ["-    - name: z", "-      v: 1"]),
    (("list", 0, "name"), ["-    - name: z", "-      v: 1", "+    - v: 1"]),
    (("list", 1, "name"), ["-    - name: last", "+    - {}"]),
    (("text",), ["-text: |", "-    hello", "-    # no comment"]),
    (("deep", "er", "x"), ["-    er:", "-        x: 3", "+    er: {}"]),
    (("tags", 1), ["-tags: [1, 2]", "+tags: [1]"]),
    (("tags",), ["-tags: [1, 2]"]),
    (("nowhere", "at", "all"), []),
]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(("path", "expected"), REMOVED)
def test_what_is_removed_takes_its_lines_and_no_others(path, expected, ending):
    before = TEXT.replace("\n", ending)
    assert changes(before, edit.remove(before, path)) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("a", "b")),
        ("a: &x 1\nc: *x\n", ("a",)),
        ("a: &x 1\nc: *x\n", ("c",)),
        ("a: &x {b: 1}\nc: {<<: *x}\n", ("c", "b")),
        ("a: {b: 1}\n", ("a",)),
        ("a: 1\n", ("b",)),
    ],
)
def test_an_edit_that_would_reach_further_is_refused(text, path):
    with pytest.raises(YamlError, match="cannot change") as caught:
        edit.set_scalar(text, path, 2, file="environment.yaml")
    assert caught.value.path == "environment.yaml"
    assert caught.value.hint == "edit it by hand"


def test_a_merged_key_cannot_be_removed():
    with pytest.raises(YamlError, match="no literal value"):
        edit.remove("a: &x {b: 1}\nc: {<<: *x}\n", ("c", "b"))


def test_a_path_through_a_scalar_is_refused():
    for path in (("a", "b"), ("a", 0), ("l", 3), ("l", "x")):
        with pytest.raises(YamlError, match="in place: no "):
            edit.set_value("a: 1\nl: [1]\n", path, 1)


def test_a_broken_text_is_refused_with_its_line():
    with pytest.raises(YamlError) as caught:
        edit.set_value("a: [1\n", ("a",), 1, file="f")
    assert caught.value.place == "f:1"


# properties

words = st.one_of(
    st.sampled_from(["", "y", "on", "1e3", "a: b", "# x", "é", "a\nb\n", "x\n\n", "null", "it's",
                     '"', "{a}", "- a", " a ", "a,b", "ref: x", "0o17", "|", "*a", "%", "\t"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=6),
)  # fmt: skip
plain = st.sampled_from(["1", "1.50", "true", "on", "2027-03-31", "0o17", "1_000"]).map(Plain)
keys = st.text("abcxyz-.", min_size=1, max_size=3)
data = st.recursive(
    st.one_of(st.none(), words, plain),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
documents = st.dictionaries(keys, data, min_size=1, max_size=4)


@st.composite
def layouts(draw):
    """A document as a person may have written it: comments, wider steps, flow, CRLF, BOM."""
    value = draw(documents)
    lines = []
    for key, item in value.items():
        lines.append(f"# about {len(lines)}\n" if draw(st.booleans()) else "\n")
        if draw(st.booleans()):
            lines.append(f"{source(key)}: {source(item, Layout(flow=True))}  # flow\n")
        else:
            step = draw(st.sampled_from([2, 4]))
            lines.append(source({key: item}, Layout(step=step)) + "\n")
    text = "".join(lines) + draw(st.sampled_from(["", "\n", "# end\n"]))
    text = draw(st.sampled_from(["", "\ufeff", "---\n"])) + text
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def path_in(draw, document):
    return draw(st.sampled_from([path for path in document.marks if path]))


def same_for_1_2(text):
    """The text is YAML 1.2 as well; ruamel reads it to the end."""
    return YAML(typ="safe", pure=True).load(text) is not None


@given(st.data(), layouts(), st.one_of(words, plain, st.none(), st.integers()))
@examples(100)
def test_a_scalar_edit_touches_nothing_outside_the_scalar(draw, text, value):
    document = reader.read(text, "f")
    path = path_in(draw.draw, document)
    mark = document.marks[path]
    assume(mark.kind == "scalar")
    after = edit.set_scalar(text, path, value)
    assert after.startswith(text[: mark.start])
    tail = text[mark.end :].lstrip("\r\n") if mark.style in ("|", ">") else text[mark.end :]
    assert after.endswith(tail)
    goal = with_value(document.data, path, as_read(value))
    assert alike(reader.read(after, "f").data, goal)
    assert same_for_1_2(after)


@given(st.data(), layouts(), data)
@examples(100)
def test_any_edit_reads_back_and_keeps_every_comment(draw, text, value):
    document = reader.read(text, "f")
    path = path_in(draw.draw, document)
    extra = draw.draw(st.lists(keys, max_size=2))
    if isinstance(get(document.data, path), dict):
        path = (*path, *extra)
    after = edit.set_value(text, path, value)
    goal = with_value(document.data, path, value)
    assert alike(reader.read(after, "f").data, goal)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]
    assert edit.set_value(after, path, value) == after
    assert same_for_1_2(after)


@given(st.data(), layouts())
@examples(100)
def test_a_removal_reads_back_and_keeps_every_comment(draw, text):
    document = reader.read(text, "f")
    path = path_in(draw.draw, document)
    after = edit.remove(text, path)
    goal = without(document.data, path)
    assert alike(reader.read(after, "f").data, goal)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]
