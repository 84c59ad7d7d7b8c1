import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from generator.model import json_schema
from generator.tree import editor_schemas
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING

ROOT = Path(__file__).parents[3]
SAMPLES = sorted(ROOT.glob("environments/**/environment.yaml"))


class Text(yaml.SafeLoader):
    """Reads dates as text, as the YAML language server does."""


Text.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text):
    return yaml.load(text, Loader=Text)


def faults(kind, data):
    validator = jsonschema.Draft202012Validator(json_schema.schema(kind))
    return [error.json_path for error in validator.iter_errors(data)]


def fields(schema):
    """`Model.field` with the schema of the field, of every model in it."""
    for name, node in [("(root)", schema), *schema["$defs"].items()]:
        for field, below in node.get("properties", {}).items():
            yield f"{name}.{field}", below


@pytest.mark.parametrize("kind", ["environment", "repository"])
def test_the_schema_is_one(kind):
    schema = json_schema.schema(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("kind", ["environment", "repository"])
def test_every_reference_leads_somewhere_and_every_definition_is_used(kind):
    schema = json_schema.schema(kind)
    used = set()

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                used.add(node["$ref"].removeprefix("#/$defs/"))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema)
    assert used <= set(schema["$defs"])


@pytest.mark.parametrize("kind", ["environment", "repository"])
def test_every_field_tells_what_it_is_for(kind):
    schema = json_schema.schema(kind)

    def described(node):
        inner = [node, *node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
        below = [
            schema["$defs"][part["$ref"].rpartition("/")[2]] for part in inner if "$ref" in part
        ]
        return any(part.get("description") for part in (node, *below))

    assert [name for name, node in fields(schema) if not described(node)] == []


@pytest.mark.parametrize("kind", ["environment", "repository"])
def test_unknown_fields_are_refused_everywhere(kind):
    schema = json_schema.schema(kind)
    open_ones = [
        name
        for name, node in [("(root)", schema), *schema["$defs"].items()]
        if "properties" in node and node.get("additionalProperties") is not False
    ]
    assert open_ones == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_the_projects_own_definitions_fit(path):
    assert faults("environment", read(path.read_text())) == []


def test_the_projects_own_settings_fit():
    assert faults("repository", read((ROOT / "gen-env.yaml").read_text())) == []


@pytest.mark.parametrize("text", [DEV, STAGING, PRODUCTION], ids=["dev", "staging", "production"])
def test_what_is_valid_fits(text):
    assert faults("environment", read(text)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("airfow",), {}),
        (("airflow", "executer"), "LocalExecutor"),
        (("workers",), {"replicas": "many"}),
        (("networkPolicy",), {"mode": "on"}),
        (("kind",), "Repository"),
        (("metadata", "tier"), "prod"),
    ],
)
def test_what_is_wrong_shows_in_the_editor(path, value):
    data = copy.deepcopy(read(DEV))
    node = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    assert faults("environment", data)


@pytest.mark.parametrize("field", ["metadata", "destination", "airflow", "chart", "dags"])
def test_what_no_default_brings_is_required(field):
    data = read(DEV)
    del data[field]
    assert faults("environment", data)


def test_defaults_are_parts_of_a_definition():
    settings = read(SETTINGS)
    for good in ({"workers": {"replicas": 2}}, {"airflow": {"version": "3.2.2"}}, {}):
        settings["defaults"] = {"tiers": {"production": good}, "teams": {"a": good}}
        assert faults("repository", settings) == []
    for bad in ({"workerz": {}}, {"workers": {"replicsa": 1}}, {"metadata": {"tier": "staging"}}):
        settings["defaults"] = {"clusters": {"main": bad}}
        assert faults("repository", settings)


def test_the_schemas_in_the_project_are_current():
    wanted = {
        f".gen-env/{kind}.schema.json": editor_schemas.text(kind)
        for kind in ("environment", "repository")
    }
    for path, text in wanted.items():
        assert (ROOT / path).read_text() == text, "run: make golden"
        assert json.loads(text)["$comment"].startswith("Generated by gen-env")
