"""What we write must come back unchanged, whoever reads it."""

import io
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from generator.yaml import reader
from generator.yaml.edit import as_read
from generator.yaml.manifests import load_manifests
from generator.yaml.writer import Layout, dump, dump_all, source
from tests.effort import examples

AWKWARD = [
    "", " ", "y", "n", "on", "Yes", "null", "~", "true", "1234e5", "1e3", "0o17", "017", "1_000",
    "1:20", "1:20:30", "=", "<<", "2027-03-31", "2027-03-31T10:00:00Z", ".5", "1.", ".inf", ".nan",
    "0x1F", "0b1", "-", "- a", "? a", ": a", "a: b", "a:b", "a #b", "#a", "&a", "*a", "!a", "%a",
    "@a", "`a`", "|", ">", "[a]", "{a}", "a, b", "'a'", '"a"', "a\\b", "---", "...", "a\n", "a\nb",
    "a\n\nb\n\n", "\na", " a\nb", "a \nb", "a\n \nb", "a\n\tb", "\ta", "a\r\nb", "a\x00b", "\x85",
    "a\u2028b\nc", "\ufeff", "é", "日本", "🚀", "a  b", " a", "a ", "a:", "--- a\n---\nb", "\x7f",
    "x" * 2000, "a\tb", "100m", "4Gi", "registry.example.com:5000/a/b", "9f2c", "_", "1_", "+", ".",
    "{{ x }}", "a\n# b\n", "a\n---\n", "0:0", "12:30:45.5", "a\ufffeb", "\x1b[31m",
]  # fmt: skip

texts = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"])))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def read_as_1_2(text):
    return YAML(typ="safe", pure=True).load(text)


def same(left, right):
    """Equality that also tells 1 from 1.0 and from True."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(values, st.booleans())
@examples(150)
def test_every_reader_gets_back_what_was_written(value, quote_all):
    text = dump(value, quote_all=quote_all)
    assert same(yaml.load(text, yaml.CSafeLoader), value)
    assert same(read_as_1_2(text), value)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_strings_survive_as_value_item_and_key(text):
    value = {"a": text, "b": [text, [text]], text: {text: 1}}
    for written in (dump(value), dump(value, quote_all=True)):
        assert same(yaml.load(written, yaml.CSafeLoader), value)
        assert same(read_as_1_2(written), value)
        assert load_manifests(written, trusted=True) == [value]


@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=3), max_size=4))
@examples(60)
def test_several_documents_come_back_in_order(documents):
    assert load_manifests(dump_all(documents)) == documents


def test_the_layout_is_that_of_kubectl():
    value = {
        "spec": {"ports": [{"port": 80, "name": "web"}, {"port": 443}], "empty": {}, "none": []},
        "matrix": [["a", "b"], []],
        "script": "set -e\necho hi\n",
        "nothing": None,
    }
    assert dump(value) == (
        "spec:\n"
        "  ports:\n"
        "  - port: 80\n"
        "    name: web\n"
        "  - port: 443\n"
        "  empty: {}\n"
        "  none: []\n"
        "matrix:\n"
        "- - a\n"
        "  - b\n"
        "- []\n"
        "script: |\n"
        "  set -e\n"
        "  echo hi\n"
        "nothing: null\n"
    )


def test_only_strings_that_are_safe_everywhere_go_unquoted():
    bare = ["airflow", "100m", "4Gi", "apps/v1", "a b", "reg.example.com/a:b", "metrics/no-otel"]
    quoted = ["y", "1234e5", "0o17", "null", "1:20", "=", "2027-03-31", "1_000", "10", "", "a: b"]
    assert [dump(text) for text in bare] == [f"{text}\n" for text in bare]
    assert [dump(text) for text in quoted] == [f'"{text}"\n' for text in quoted]


def test_quote_all_quotes_values_and_leaves_numbers_alone():
    text = dump({"tag": "latest", "replicas": 2, "on": True}, quote_all=True)
    assert text == 'tag: "latest"\nreplicas: 2\n"on": true\n'


def test_a_scalar_read_as_written_is_dumped_as_a_string():
    data = reader.read("ref: 4610234\n", "f").data
    assert dump(data) == 'ref: "4610234"\n'


def test_floats_read_as_floats_in_both_versions():
    for number in (1e20, 1e-7, 1.5, 5.0, -0.0, 1e300, 123456789.123):
        text = dump({"a": number})
        for back in (yaml.load(text, yaml.CSafeLoader)["a"], read_as_1_2(text)["a"]):
            assert isinstance(back, float) and back == number
    assert math.isnan(yaml.load(dump(math.nan), yaml.CSafeLoader))
    assert dump([math.inf, -math.inf]) == "- .inf\n- -.inf\n"


LAYOUTS = [
    Layout(),
    Layout(step=4, list_step=2),
    Layout(list_step=4),
    Layout(flow=True),
    Layout(flow=True, quote='"'),
    Layout(width=40),
]


def assert_read_back(value, layout):
    text = source(value, layout) + "\n"
    assert same(yaml.load(text, yaml.CSafeLoader), value)
    assert same(read_as_1_2(text), value)
    assert reader.read(text, "f").data == as_read(value)
    assert not layout.flow or text.count("\n") == 1


@pytest.mark.few(60)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_strings_survive_in_every_layout_of_a_file_that_people_own(text, layout):
    assert_read_back({"a": text, "b": [text, [text], {"c": text}], text[:50]: {"d": text}}, layout)


@given(values, st.sampled_from(LAYOUTS))
@examples(60)
def test_every_reader_gets_back_what_is_written_for_people(value, layout):
    assert_read_back(value, layout)


def test_a_file_that_people_own_keeps_scalars_as_they_were_written():
    text = "a: 1e3\nb:\n- 3.10\n- on\n- 2027-03-31\nc: null\n"
    assert source(reader.read(text, "f").data) + "\n" == text


def test_what_fits_goes_on_one_line_and_the_rest_into_blocks():
    value = {
        "short": {"a": 1, "hosts": [{"name": "x"}]},
        "long": {"inner": {"a": "b" * 30, "c": "d" * 30}, "list": [1, 2]},
        "text": {"script": "set -e\ntrue\n"},
    }
    assert source(value, Layout(width=40)).splitlines() == [
        "short: {a: 1, hosts: [{name: x}]}",
        "long:",
        "  inner:",
        f"    a: {'b' * 30}",
        f"    c: {'d' * 30}",
        "  list: [1, 2]",
        "text:",
        "  script: |",
        "    set -e",
        "    true",
    ]


def test_what_yaml_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="set"):
        dump({"a": {1, 2}})
    with pytest.raises(TypeError, match="key"):
        dump({1: "a"})
    with pytest.raises(ValueError):
        dump("\ud800")


def test_long_lines_are_not_folded():
    words = " ".join(["word"] * 500)
    assert dump({"a": words}) == f"a: {words}\n"
    assert io.StringIO(dump([words])).readlines() == [f"- {words}\n"]
