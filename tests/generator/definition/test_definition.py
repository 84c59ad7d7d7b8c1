import pytest

from generator.core.files import Snapshot
from generator.definition import definition, resolve
from generator.definition.definition import name_faults
from generator.tree import catalogue
from tests.repositories import DEV, SETTINGS, built, changed


@pytest.mark.parametrize("name", ["dev", "a", "a-1", "x" * 63, "payments/dev", "9"])
def test_names_that_can_be(name):
    assert list(name_faults(name)) == []


@pytest.mark.parametrize(
    "name",
    ["", "Dev", "a_b", "-a", "a-", "x" * 64, "a/b/c", "a//b", "/a", "a/", "..", "a b", "a\n", "ä",
     "generated", "team/secrets"],
)  # fmt: skip
def test_names_that_cannot_be(name):
    assert list(name_faults(name))


def test_parts_are_read_without_stumbling():
    item = definition.load("dev", DEV.encode())
    assert item.part("airflow", "version") == "3.2.2"
    assert item.part("airflow", "version", "deeper") is None
    assert item.part("nowhere", "at", "all") is None
    assert (item.folder, item.path) == ("environments/dev", "environments/dev/environment.yaml")


@pytest.mark.parametrize(
    ("text", "tier"),
    [("metadata: {tier: staging}", "staging"), ("metadata: {tier: production}", "production"),
     ("metadata: {tier: prod}", "development"), ("metadata: []", "development"),
     ("- x", "development"), ("", "development"), ("metadata: {tier: [a]}", "development")],
)  # fmt: skip
def test_the_tier_as_far_as_it_makes_sense(text, tier):
    assert definition.load("dev", text.encode()).tier == tier


def test_text_fields_take_what_was_written():
    text = changed(
        DEV, ("3.2.2}", "3.2.2, env: {A: 010, B: 1e3, C: yes, D: 3.10, E: 2027-01-01, F: ~x}}")
    )
    environment = built(text).resolved.environment
    assert environment.airflow.env == {
        "A": "010", "B": "1e3", "C": "yes", "D": "3.10", "E": "2027-01-01", "F": "~x",
    }  # fmt: skip


def test_values_are_read_as_helm_reads_them():
    text = DEV + "values: {scheduler: {a: true, b: 1, c: 1.5, d: null, e: 'yes', f: [1, x]}}\n"
    assert built(text).resolved.environment.values == {
        "scheduler": {"a": True, "b": 1, "c": 1.5, "d": None, "e": "yes", "f": [1, "x"]}
    }


def test_the_source_of_every_value_is_a_place():
    settings = SETTINGS + "defaults:\n  tiers:\n    development:\n      labels: {a: b}\n"
    item = built(DEV, settings=settings).resolved
    assert item.place("airflow", "version") == ("environments/dev/environment.yaml", 5)
    assert item.place("labels", "a") == ("gen-env.yaml", 16)
    assert item.place("scheduler", "resources")[0] == "environments/dev/environment.yaml"


def test_an_anchor_reports_the_line_of_its_use():
    text = DEV + "scheduler: &s {replicas: x}\ndagProcessor: *s\n"
    problems = built(text).problems
    assert {problem.line for problem in problems} <= {10, 11} and len(problems) == 2


def test_effective_values_are_complete_and_in_the_words_of_the_definition():
    values = resolve.effective(built(DEV).resolved.environment)
    assert values["apiServer"]["startupProbeFailures"] == 30
    assert "api_server" not in values


def test_a_catalogue_keeps_what_parses():
    files = Snapshot(
        {
            "gen-env.yaml": SETTINGS.encode(),
            "environments/dev/environment.yaml": DEV.encode(),
            "environments/broken/environment.yaml": b"a: [",
            "environments/.gitkeep": b"",
            "environments/environment.yaml": DEV.encode(),
        },
        ("environments/link",),
    )
    found = catalogue.load(files)
    assert set(found.definitions) == {"dev"}
    assert {problem.rule for problem in found.problems} >= {"yaml/syntax", "tree/symlink"}
    assert found.chosen(["broken"]) == (), "told by its problem, not as unknown"


@pytest.mark.parametrize(
    ("version", "message", "hint"),
    [
        ("gen-env.dev/v2", "apiVersion gen-env.dev/v2 is newer than gen-env.dev/v1", "install"),
        ("gen-env.dev/v0", "apiVersion is not gen-env.dev/v1", "write apiVersion: gen-env.dev/v1"),
        ("hunter2", "apiVersion is not gen-env.dev/v1", "write apiVersion: gen-env.dev/v1"),
        ("[]", "apiVersion is not gen-env.dev/v1", "write apiVersion: gen-env.dev/v1"),
    ],
)
def test_another_api_version_is_refused_with_what_to_do(version, message, hint):
    text = f"# ours\napiVersion: {version}\n".encode()
    settings, problems = definition.load_settings(text)
    problem = next(item for item in problems if item.line == 2)
    assert settings is None
    assert problem.message.startswith(message) and problem.hint.startswith(hint)
    assert "hunter2" not in problem.message + problem.hint


@pytest.mark.parametrize(
    "labels",
    ["labels: {team: %s}", "namespaceLabels: {a/b/c: x}", "placement: {nodeSelector: {pool: a b}}"],
)
def test_a_label_that_kubernetes_refuses_is_one_error_at_its_line(labels):
    text = f"{DEV}{labels.replace('%s', 'x' * 64)}\n"
    [problem] = built(text).problems
    assert (problem.rule, problem.line) == ("definition/schema", text.count("\n"))
    assert "not a label's" in problem.message
