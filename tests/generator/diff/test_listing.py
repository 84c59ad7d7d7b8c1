import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.core.visible import one_line, visible
from generator.diff.equality import plain
from generator.diff.listing import lines

TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]))
BLOCKS = st.lists(st.text("abc :#-'\"[]{}", max_size=8), max_size=4).map("\n".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT | BLOCKS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_lines_are_yaml_that_reads_back_the_same(value):
    text = "\n".join(lines(value)) + "\n"
    if "\u2028" not in text and "\u2029" not in text and "\x85" not in text:
        read = yaml.load(text, Loader=yaml.CSafeLoader)
        assert plain(_stripped(read)) == plain(_stripped(value)), text


def _stripped(value):
    """Block scalars keep their text; only line ends at their end are written differently."""
    if isinstance(value, dict):
        return {key: _stripped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    return value.rstrip("\n") if isinstance(value, str) and "\n" in value else value


@given(st.dictionaries(TEXT, VALUES, max_size=4), st.dictionaries(TEXT, VALUES, max_size=4))
def test_different_values_have_different_lines(one, other):
    assert (lines(one) == lines(other)) == (plain(one) == plain(other))


def test_identity_comes_first_and_the_rest_is_sorted():
    manifest = {"b": 1, "a": 2, "metadata": {"z": 1, "name": "m"}, "kind": "K", "apiVersion": "v1"}
    assert lines(manifest) == [
        "apiVersion: v1",
        "kind: K",
        "metadata:",
        "  name: m",
        "  z: 1",
        "a: 2",
        "b: 1",
    ]


def test_blanks_at_the_end_of_a_line_do_not_turn_a_text_into_one_line():
    assert lines({"x": "a = \nb"}) == ["x: |-", "  a = ", "  b"]


def test_keys_of_every_type_are_sorted_together():
    assert lines({1: "a", "1": "b", None: "c", False: "d"})


def test_hidden_characters_are_written_out():
    assert visible("a\u202eb\x1b[0m\x00\tc\n") == "a\\u202eb\\x1b[0m\\x00\tc\n"
    assert visible("\U000e0041 \ud800") == "\\U000e0041 \\ud800"
    assert one_line("a\r\n b\tc") == "a b c"
