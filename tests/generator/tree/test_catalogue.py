"""Reading a repository: secrets as they stand in git, and no more than is asked for."""

import pytest

from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.tree import catalogue
from generator.yaml.writer import dump
from tests import definitions

CASE = definitions.cases()[0] | {"name": "plain", "source": "repository"}
SEALED = """\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: one, namespace: airflow}
spec: {encryptedData: {}}
"""


def holding(text):
    files = definitions.repository(CASE)
    return Snapshot({**files.contents, "environments/one/secrets/x.yaml": text.encode()})


def read(text):
    files = holding(text)
    return catalogue.secret_files(files, catalogue.load(files).definitions["one"])


def test_a_sealed_secret_is_known_by_its_name():
    found = read(SEALED)
    assert [(file.name, file.text) for file in found.sealed] == [("one", SEALED)]
    assert not found.problems and not found.others


@pytest.mark.parametrize("text", ["", "# nothing\n", "kind: ConfigMap\nmetadata: {name: x}\n"])
def test_what_is_no_sealed_secret_is_kept_apart(text):
    found = read(text)
    assert [file.path for file in found.others] == ["environments/one/secrets/x.yaml"]
    assert not found.sealed and not found.problems


@pytest.mark.parametrize(
    ("text", "rule", "line", "words"),
    [
        (f"{SEALED}---\n{SEALED}", "yaml/syntax", None, "more than one YAML document"),
        (SEALED + "kind: SealedSecret\n", "yaml/syntax", 5, "the key kind appears twice"),
        (SEALED + "\tx: 1\n", "yaml/syntax", 5, "tab"),
        ("- kind: SealedSecret\n", "yaml/syntax", 1, "not a mapping"),
        ("# x\napiVersion: v1\nkind: Secret\ndata: {a: Yg==}\n", "secrets/plain", 3, "plain"),
        ("a: &a [*a]\n", "yaml/syntax", 1, "contains it"),
    ],
)
def test_a_file_that_holds_anything_else_is_named_with_its_line(text, rule, line, words):
    found = read(text)
    (problem,) = found.problems
    assert not found.sealed and not found.others
    assert (problem.rule, problem.line) == (rule, line)
    assert problem.path == "environments/one/secrets/x.yaml"
    assert words in problem.message


@pytest.mark.parametrize("text", ["postgresql://other.example.com/x", "{{ .user }}@other"])
def test_a_template_takes_the_place_of_no_sealed_value(text):
    sealed = "kind: SealedSecret\nmetadata: {name: one}\nspec:\n  encryptedData: {a: AgB}\n"
    template = f"  template:\n    data:\n      KEY: '{text}'\n"
    (problem,) = read(sealed + template.replace("KEY", "a")).problems
    assert (problem.rule, problem.line) == ("secrets/plain", 7)
    assert "takes the place of the sealed value" in problem.message
    assert not read(sealed + template.replace("KEY", "b")).problems


def two(first, second):
    wanted = dump(definitions.definition(CASE))
    return Snapshot(
        {
            "gen-env.yaml": dump(definitions.settings()).encode(),
            f"environments/{first}/environment.yaml": wanted.encode(),
            f"environments/{second}/environment.yaml": b"{broken",
        }
    )


def test_other_environments_are_not_even_read():
    found = catalogue.load(two("one", "other"), {"one"})
    assert set(found.definitions) == {"one"}
    assert not found.problems
    assert catalogue.load(two("one", "other")).problems


def test_a_name_that_collides_with_one_that_is_not_read_is_found_all_the_same():
    found = catalogue.load(two("a-b", "a/b"), {"a-b"})
    assert [(item.rule, item.environment) for item in found.problems] == [
        ("definition/name", "a/b")
    ]


def test_one_environment_may_be_planned_without_the_repository_as_a_whole(tmp_path):
    charts = definitions.stand_in_charts(tmp_path)
    files = two("one", "other")
    part = generate.generate(files, ["one"], charts, whole=False)
    whole = generate.generate(files, ["one"], charts)
    assert [outcome.name for outcome in part.outcomes] == ["one"]
    assert [outcome.name for outcome in whole.outcomes] == ["one", ""]
    assert part.outcomes[0] == whole.outcomes[0]
