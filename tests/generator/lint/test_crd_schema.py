import json
import os
from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.core.problem import NotDone
from generator.lint.objects.crd_schema import Definitions, check, check_against, load_definitions
from generator.yaml.writer import dump

WIDGET = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": False,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            },
            {
                "name": "v1",
                "served": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1},
                                    "mode": {"type": "string", "enum": ["fast", "slow"]},
                                    "port": {
                                        "anyOf": [{"type": "integer"}, {"type": "string"}],
                                        "x-kubernetes-int-or-string": True,
                                    },
                                    "target": {
                                        "anyOf": None,
                                        "x-kubernetes-int-or-string": True,
                                    },
                                    "note": {"type": "string", "nullable": True},
                                    "free": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "half": {
                                        "type": "object",
                                        "properties": {"a": {"type": "string"}},
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "labels": {
                                        "type": "object",
                                        "additionalProperties": {"type": "string"},
                                    },
                                    "either": {
                                        "type": "object",
                                        "properties": {
                                            "one": {"type": "string"},
                                            "two": {"type": "string"},
                                        },
                                        "oneOf": [{"required": ["one"]}, {"required": ["two"]}],
                                    },
                                    "pod": {
                                        "type": "object",
                                        "x-kubernetes-embedded-resource": True,
                                        "properties": {"spec": {"type": "object"}},
                                    },
                                },
                            }
                        },
                    }
                },
            },
        ],
    },
}
DEFINITIONS = Definitions.of([WIDGET])


def widget(version="v1", metadata=None, **spec):
    return {
        "apiVersion": f"example.com/{version}",
        "kind": "Widget",
        "metadata": {"name": "w", **(metadata or {})},
        "spec": spec,
    }


def found(manifest, definitions=DEFINITIONS):
    checked = check_against([manifest], definitions)
    return [*checked.problems, *checked.not_done]


@pytest.mark.parametrize(
    "spec",
    [
        {"size": 1, "mode": "fast"},
        {"port": 80},
        {"port": "http"},
        {"target": "http"},
        {"note": None},
        {"free": {"any": {"thing": 1}}},
        {"half": {"a": "x", "b": 1}},
        {"labels": {"a": "b"}},
        {"either": {"two": "x"}},
        {"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}},
    ],
)
def test_what_the_definition_allows_passes(spec):
    assert found(widget(**spec)) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"size": "1"}, "spec.size must be a whole number, not text"),
        ({"size": 0}, "spec.size must not be below 1"),
        ({"siz": 1}, "unknown key spec.siz"),
        ({"mode": "s3cr3t"}, "spec.mode must be one of fast, slow"),
        ({"port": True}, "spec.port must be a whole number or text, not true or false"),
        ({"size": None}, "spec.size must be a whole number, not null"),
        ({"labels": {"a": 1}}, "spec.labels.a must be text, not a number"),
        ({"half": {"a": 1}}, "spec.half.a must be text, not a number"),
    ],
)
def test_what_it_refuses_is_said_without_the_value(spec, words):
    [problem] = found(widget(**spec))
    assert problem.rule == "crd/schema"
    assert problem.message == f"Widget w: {words}"


def test_of_exclusive_fields_neither_and_both_are_refused():
    assert found(widget(either={}))
    assert found(widget(either={"one": "a", "two": "b"}))


def test_metadata_is_checked_though_no_definition_describes_it():
    assert found(widget(metadata={"labels": {"a": "b"}, "annotations": {}})) == []
    [problem] = found(widget(metadata={"annotations": {"wave": 3}}))
    assert problem.message == "Widget w: metadata.annotations.wave must be text, not a number"
    [problem] = found(widget(metadata={"label": {}}))
    assert problem.hint == "did you mean labels?"


def test_a_version_that_is_not_served_names_one_that_is():
    [problem] = found(widget("v1alpha1"))
    assert problem.rule == "crd/unknown-version"
    assert problem.hint == "use example.com/v1"


def test_without_the_definition_the_check_is_not_done_and_never_passed():
    other = {"apiVersion": "other.io/v1", "kind": "Thing", "metadata": {"name": "x"}}
    for definitions in (DEFINITIONS, None):
        [entry] = found(other, definitions)
        assert isinstance(entry, NotDone)
        assert "Thing (other.io)" in entry.reason


def test_one_not_done_entry_for_a_kind():
    thing = {"apiVersion": "other.io/v1", "kind": "Thing", "metadata": {"name": "x"}}
    assert len(check_against([thing, thing, widget()], None).not_done) == 2


def test_kubernetes_own_objects_are_somebody_elses():
    assert found({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}) == []


def test_definitions_are_read_from_a_folder(tmp_path):
    (tmp_path / "widget.yaml").write_text(dump(WIDGET))
    (tmp_path / "readme.md").write_text("no yaml")
    assert ("example.com", "Widget") in load_definitions(tmp_path).schemas


def test_a_changed_file_is_read_again(tmp_path):
    file = tmp_path / "widget.json"
    file.write_text("{}")
    assert check([widget(siz=1)], tmp_path).not_done
    file.write_text(json.dumps(WIDGET))
    assert check([widget(siz=1)], tmp_path).problems


def test_without_a_folder_nothing_is_done():
    assert check([widget()], None).not_done
    assert check([{"apiVersion": "v1", "kind": "Pod"}], None).not_done == ()


def test_a_folder_that_is_not_there_is_the_users_error(tmp_path):
    with pytest.raises(UserError) as error:
        load_definitions(tmp_path / "missing")
    assert "GEN_ENV_CRDS" in error.value.hint


@pytest.fixture(scope="module")
def official():
    folder = os.environ.get("GEN_ENV_CRDS")
    if not folder:
        pytest.skip("GEN_ENV_CRDS=<folder of official CRDs> would make it run")
    return load_definitions(Path(folder))


OFFICIAL = [
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "a"},
        "spec": {
            "project": "p",
            "destination": {"namespace": "n", "server": "s"},
            "sources": [{"repoURL": "r", "helm": {"valuesObject": {"any": {"thing": 1}}}}],
        },
    },
    {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "a"},
        "spec": {"selector": {}, "endpoints": [{"port": "metrics", "interval": "30s"}]},
    },
    {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "a"},
        "spec": {"encryptedData": {"k": "v"}},
    },
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "a"},
        "spec": {"parentRefs": [{"name": "g", "sectionName": "https", "port": 443}]},
    },
    {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "a"},
        "spec": {"host": "a", "to": {"kind": "Service", "name": "s", "weight": 100}},
    },
]


@pytest.mark.crds
@pytest.mark.parametrize("manifest", OFFICIAL, ids=lambda manifest: manifest["kind"])
def test_official_definitions_take_and_refuse(official, manifest):
    assert check_against([manifest], official).problems == ()
    broken = {**manifest, "spec": {**manifest["spec"], "surprise": 1}}
    [problem] = check_against([broken], official).problems
    assert "unknown key spec.surprise" in problem.message
