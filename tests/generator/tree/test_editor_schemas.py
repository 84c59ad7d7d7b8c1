"""Schemas for editors: made where the repository has none or another, kept where it is right."""

import functools
import json

import pytest

from generator.core.files import Snapshot
from generator.model import json_schema
from generator.tree import editor_schemas, schema_digests, tree

PATHS = {kind: f".gen-env/{kind}.schema.json" for kind in editor_schemas.KINDS}


@functools.cache
def right():
    return {path: editor_schemas.text(kind) for kind, path in PATHS.items()}


def snapshot(texts):
    return Snapshot({path: text.encode() for path, text in texts.items()})


@pytest.mark.parametrize("kind", editor_schemas.KINDS)
def test_a_schema_is_ours_and_describes_the_models(kind):
    text = right()[PATHS[kind]]
    assert tree.is_ours(text.encode())
    found = json.loads(text)
    assert found.pop("$comment").endswith(f"gen-env schema {kind}")
    assert found == json_schema.schema(kind)


@pytest.mark.parametrize("kind", editor_schemas.KINDS)
def test_the_digests_are_those_of_the_models_of_today(kind):
    assert schema_digests.DIGESTS[kind] == editor_schemas.digest(right()[PATHS[kind]].encode())


@pytest.mark.parametrize("present", [dict, lambda: dict.fromkeys(right(), "{}\n"), right])
def test_whatever_lies_there_the_right_ones_are_wanted(present):
    assert editor_schemas.files(snapshot(present())) == right()


def test_what_is_right_is_not_made_again(monkeypatch):
    wanted = right()
    monkeypatch.setattr(editor_schemas, "text", lambda kind: pytest.fail("made again"))
    assert editor_schemas.files(snapshot(wanted)) == wanted
