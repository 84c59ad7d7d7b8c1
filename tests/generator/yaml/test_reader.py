"""What people write is read as they wrote it, and every mistake has a line."""

import datetime
import time

import pytest
import yaml

from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.manifests import canonical, load_manifests
from generator.yaml.scalars import Plain, as_helm, as_json_types
from generator.yaml.writer import dump_all


def error_of(text, reader=reader.read):
    with pytest.raises(YamlError) as caught:
        reader(text, "environment.yaml")
    return caught.value


def test_unquoted_scalars_keep_their_source_text():
    written = [
        "4610234",
        "1234e5",
        "3.10",
        "true",
        "on",
        "2027-03-31",
        "0o17",
        "1_000",
        "1:20",
        ".inf",
        "=",
        "00012",
    ]
    data = reader.read("".join(f"- {text}\n" for text in written), "f").data
    assert data == written
    assert all(type(item) is Plain for item in data)


def test_strings_are_strings():
    data = reader.read("a: 'on'\nb: \"1\"\nc: word\nd: !!str 5\ne: |\n  1\nf: ! 6\n", "f").data
    assert data == {"a": "on", "b": "1", "c": "word", "d": "5", "e": "1\n", "f": "6"}
    assert all(type(item) is str for item in data.values())


@pytest.mark.parametrize("text", ["a:\n", "a: ~\n", "a: null\n", "a: NULL\n", "a: !!null ''\n"])
def test_null_becomes_none(text):
    assert reader.read(text, "f").data == {"a": None}


def test_an_empty_file_holds_none():
    for text in ("", "# only a comment\n", "---\n", "--- ~\n...\n"):
        assert reader.read(text, "f").data is None


def test_the_top_need_not_be_a_mapping():
    assert reader.read("- a\n- b\n", "f").data == ["a", "b"]


def test_keys_keep_their_source_text():
    data = reader.read("on: a\n8080: b\n1.10: c\n~: d\n", "f").data
    assert data == {"on": "a", "8080": "b", "1.10": "c", "~": "d"}


TEXT = """\
# comment
apiVersion: gen-env.dev/v1
workers: {replicas: 2, resources:
    {cpu: 1}}
dags:
  gitSync:
    ref: 4c1f0b7
list:
  - a
  -
    name: b
text: |
  hello
last: "é"
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_path_has_the_line_of_its_key(ending, mark):
    document = reader.read((mark + TEXT.replace("\n", ending)).encode(), "f")
    lines = {
        ("apiVersion",): 2,
        ("workers",): 3,
        ("workers", "replicas"): 3,
        ("workers", "resources", "cpu"): 4,
        ("dags",): 5,
        ("dags", "gitSync", "ref"): 7,
        ("list", 0): 9,
        ("list", 1, "name"): 11,
        ("text",): 12,
        ("last",): 14,
    }
    assert {path: document.line(path) for path in lines} == lines
    assert {path: document.key_line(path) for path in lines} == lines


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_scalar_has_the_offsets_of_its_source(ending, mark):
    document = reader.read((mark + TEXT.replace("\n", ending)).encode(), "f")
    sources = {
        ("workers", "replicas"): "2",
        ("dags", "gitSync", "ref"): "4c1f0b7",
        ("list", 1, "name"): "b",
        ("last",): '"é"',
    }
    for path, source in sources.items():
        found = document.marks[path]
        assert document.text[found.start : found.end] == source
    assert document.marks["last",].style == '"'


def test_a_path_that_is_not_there_has_the_line_of_its_nearest_ancestor():
    document = reader.read(TEXT, "f")
    assert document.line(("dags", "gitSync", "period")) == 6
    assert document.line(("nowhere", "at", "all")) == 2
    assert document.key_line(("dags", "gitSync", "period")) is None


def test_a_merged_key_has_its_parents_line_and_gives_way_to_an_own_one():
    text = "base: &base\n  a: 1\n  b: {c: 2}\nuse:\n  <<: *base\n  a: 3\nalso: *base\n"
    document = reader.read(text, "f")
    assert document.data["use"] == {"a": "3", "b": {"c": "2"}}
    assert document.line(("use", "a")) == 6
    assert document.line(("use", "b", "c")) == 4
    assert document.line(("also", "b", "c")) == 7


def test_the_first_of_several_merged_mappings_wins():
    text = "a: &a {x: 1}\nb: &b {x: 2, w: 3}\nc: {<<: [*a, *b], z: 4}\n"
    assert reader.read(text, "f").data["c"] == {"x": "1", "w": "3", "z": "4"}
    assert load_manifests(text)[0]["c"] == {"x": 1, "w": 3, "z": 4}


def test_an_alias_is_a_copy():
    for read in (lambda text: reader.read(text, "f").data, lambda t: load_manifests(t)[0]):
        data = read("a: &a {b: [x]}\nc: *a\nd: {<<: *a}\n")
        data["c"]["b"].append("y")
        assert data["a"] == {"b": ["x"]} == data["d"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab is used"),
        ("a:\n\t- b\n", 2, "a tab is used"),
        ("a:\n  b: 1\n \tc: 1\n", 3, "a tab is used"),
        ("a: 1\n  b: 2\n", 2, "a ':' appears where no key is allowed"),
        ("a: b: c\n", 1, "a ':' appears where no key is allowed"),
        ("a:\n  b: 1\n c: 2\n", 3, "the indentation fits no open block"),
        ("a:\n  - b\n c: 2\n", 3, "the indentation fits no open"),
        ("a: 1\nb 2\nc: 3\n", 2, "a key has no ':'"),
        ("a: 1\nb\n", 2, "a key has no ':'"),
        ("a: 'x\nb: 1\n", 1, "a quote is opened and never closed"),
        ("a: [1, 2\nb: 3\n", 1, "list is not closed"),
        ("a: {b: 1\nc: d\n", 1, "mapping is not closed"),
        ("a: @x\n", 1, "cannot start with @"),
        ('a: "\\q"\n', 1, "backslash"),
        ("b: 1\na: x\x01\n", 2, "control character U\\+0001"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key a appears twice, first on line 1"),
        ("{a: 1, a: 2}\n", 1, "the key a appears twice, first on line 1"),
        ("x:\n  1: a\n  '1': b\n", 3, "the key 1 appears twice, first on line 2"),
        ("a: 1\n---\nb: 2\n", 3, "more than one YAML document"),
        ("a: 1\n? [b]\n: c\n", 2, "a key is a list, a mapping or an alias"),
        ("a: 1\n? \n: c\n", 2, "a key is empty"),
        ("{: c}\n", 1, "a key or value is missing"),
        ("a: 1\nb: !vault x\n", 2, "the tag !vault is not supported"),
        ("a: !!python/name:os.system x\n", 1, "the tag !!python/name:os.system is not supported"),
        ("a: !!binary aGk=\n", 1, "the tag !!binary is not supported"),
        ("a: !!set {b}\n", 1, "the tag !!set is not supported"),
        ("a: 1\n<<: 2\n", 2, "can only merge mappings"),
        ("a: &x 1\nb:\n  <<: [*x]\n", 3, "can only merge mappings"),
        ("%YAML 3.0\n---\na: 1\n", 1, "%YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, line, words):
    error = error_of(text)
    assert (error.path, error.line) == ("environment.yaml", line)
    with pytest.raises(YamlError, match=words):
        raise error
    assert error.hint or "twice" in error.message


def test_an_error_never_quotes_a_value():
    for text in ("password: hunter2: x\n", "password: 'hunter2\n", "password: hunter2\n  b: 1\n"):
        error = error_of(text)
        assert "hunter2" not in f"{error.message} {error.hint}"


def test_every_document_of_a_file_knows_its_lines():
    documents = reader.read_all("---\na: 1\n---\n# nothing\n---\nb:\n  c: 2\n", "f")
    assert [document.data for document in documents] == [{"a": "1"}, {"b": {"c": "2"}}]
    assert documents[1].line(("b", "c")) == 7


def test_json_types_are_those_of_yaml_1_2():
    text = "[1, 0o17, 017, 0x1F, 1e3, 1.50, true, on, y, ~, 2027-03-31, 1_000, '5', .inf, 1:20]"
    assert as_json_types(reader.read(text, "f").data) == [
        1, 15, 17, 31, 1000.0, 1.5, True, "on", "y", None, "2027-03-31", "1_000", "5",
        float("inf"), "1:20",
    ]  # fmt: skip


# What `helm template` (4.x) makes of each of these in a values file, tried with the real program.
HELM_READS = {
    "y": True, "N": False, "on": True, "OFF": False, "yEs": "yEs", "017": 15, "08": 8.0,
    "0o17": 15, "-0o17": -15, "0x1F": 31, "-0x1f": -31, "0b11": 3, "0b2": "0b2", "1_000": 1000,
    "_1": "_1", "1e3": 1000.0, "1.": 1.0, ".5": 0.5, "+.5": 0.5, "1e": "1e", "1e400": "1e400",
    "1:20": "1:20", "2027-03-31": "2027-03-31", "9223372036854775808": 9223372036854775808,
    "18446744073709551616": 18446744073709551616.0, "1234e5": 123400000.0, "3.10": 3.1, "=": "=",
    "0x": "0x", "+": "+", "nan": "nan", "0777": 511, "12e03": 12000.0, "0x1p4": "0x1p4",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), HELM_READS.items(), ids=HELM_READS)
def test_scalars_resolve_as_in_helm(text, value):
    resolved, _ = as_helm(reader.read(f"- {text}\n", "f").data)
    rendered = load_manifests(f"a: {text}\n")[0]["a"]
    for got in (resolved[0], rendered):
        assert (got, type(got)) == (value, type(value))


def test_helm_reports_what_versions_of_yaml_read_differently():
    text = "a: [on, y, 012, 1e3, 2027-03-31, '1:20', 1:20, 1_000]\n"
    _, findings = as_helm(reader.read(text, "f").data)
    assert [path for path, _ in findings] == [("a", index) for index in (0, 1, 2, 3, 4, 6, 7)]
    assert all("quote it" in message for _, message in findings)
    assert "YAML 1.1 reads a boolean, Helm a boolean, YAML 1.2 a string" in findings[0][1]


def test_helm_has_nothing_to_say_about_what_all_read_alike():
    text = "[1, -5, 1.5, .5, true, False, ~, word, 'on', 4610234, 0x1F, .inf, .nan, 1.5e+3]"
    assert as_helm(reader.read(text, "f").data)[1] == []


def test_helm_changes_keys_and_says_so():
    value, findings = as_helm(reader.read("on: 1\n1.10: 2\n8080: 3\n'y': 4\n", "f").data)
    assert value == {"true": 1, "1.1": 2, "8080": 3, "y": 4}
    assert [path for path, _ in findings] == [("on",), ("1.10",)]


def test_manifests_are_read_as_kubernetes_reads_them():
    text = "---\na: y\non: 2027-03-31\n---\n# none\n---\nenum: ['!=', =]\nb: =\nc: 1\nc: 2\n"
    assert load_manifests(text) == [
        {"a": True, "true": "2027-03-31"},
        {"enum": ["!=", "="], "b": "=", "c": 2},
    ]


def test_a_document_that_is_no_mapping_is_an_error_with_a_line():
    with pytest.raises(YamlError, match="not a mapping") as caught:
        load_manifests("a: 1\n---\n- b\n", path="rendered")
    assert caught.value.place == "rendered:3"


def test_a_render_of_three_thousand_lines_is_read_in_a_tenth_of_a_second():
    container = {"name": "c", "image": "r/x:1", "env": [{"name": f"V{n}"} for n in range(20)]}
    manifests = [
        {"kind": "Deployment", "metadata": {"name": f"x{n}"}, "spec": {"containers": [container]}}
        for n in range(120)
    ]
    text = dump_all(manifests)
    assert text.count("\n") > 3000
    assert yaml.load(text.split("---\n")[0], yaml.CSafeLoader) == manifests[0]
    for trusted in (False, True):
        times = []
        for _ in range(3):
            began = time.process_time()
            assert load_manifests(text, trusted=trusted) == manifests
            times.append(time.process_time() - began)
        assert min(times) < 0.3


def test_canonical_puts_identity_first_and_sorts_the_rest():
    manifest = {
        "spec": {"b": [{"z": 1, "a": 2}], "a": {"metadata": {"name": 1, "labels": 2}}},
        "metadata": {"annotations": {"b": "1", "a": "2"}, "zone": 1, "name": "n", "labels": {}},
        "kind": "K",
        "data": {},
        "apiVersion": "v1",
    }
    result = canonical(manifest)
    assert result == manifest
    assert list(result) == ["apiVersion", "kind", "metadata", "data", "spec"]
    assert list(result["metadata"]) == ["name", "labels", "annotations", "zone"]
    assert list(result["metadata"]["annotations"]) == ["a", "b"]
    assert list(result["spec"]["b"][0]) == ["a", "z"]
    assert list(result["spec"]["a"]["metadata"]) == ["labels", "name"]


def test_no_scalar_becomes_a_date():
    data = load_manifests("a: 2027-03-31\nb: 2027-03-31T10:00:00Z\n")[0]
    assert not any(isinstance(value, datetime.date) for value in data.values())
