"""JSON Schemas of the files that people write, for editors."""

import copy
import functools
from collections.abc import Iterator
from typing import Any

from generator.model import documentation
from generator.model.base import Spec
from generator.model.environment import Environment
from generator.model.repository import Repository

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kind: str) -> dict[str, Any]:
    """The schema of `environment` (a definition) or `repository` (gen-env.yaml).

    A definition may leave out what defaults bring, so only identity is required in it.
    """
    if kind == "environment":
        return _definition()
    return {"$schema": _DIALECT, "title": "gen-env.yaml", **_without_title(_repository())}


def _definition() -> dict[str, Any]:
    found = _described(Environment)
    found["required"] = ["metadata", "destination", "airflow", "chart", "dags"]
    return {"$schema": _DIALECT, "title": "environment.yaml", **_without_title(_tidied(found))}


def _repository() -> dict[str, Any]:
    """Defaults hold parts of a definition: the same fields, none of them required."""
    found = _described(Repository)
    part = _described(Environment)
    definitions = copy.deepcopy(part.pop("$defs"))
    for definition in definitions.values():
        definition.pop("required", None)
    part.pop("required", None)
    for field in ("apiVersion", "kind", "metadata"):
        del part["properties"][field]
    defaults = found["$defs"]["Defaults"]["properties"]
    found["$defs"] |= {f"Part{name}": _renamed(item) for name, item in definitions.items()}
    found["$defs"]["Part"] = _renamed(part)
    for level in ("tiers", "clusters", "teams"):
        defaults[level]["additionalProperties"] = {"$ref": "#/$defs/Part"}
    tidied: dict[str, Any] = _tidied(found)
    return tidied


def _described(model: type[Spec]) -> dict[str, Any]:
    """pydantic's schema of a model, with the text below each field."""
    found = copy.deepcopy(_of_pydantic(model))
    kinds = {kind.__name__: kind for kind in _kinds(Spec)}
    for name, node in [(model.__name__, found), *found.get("$defs", {}).items()]:
        if (kind := kinds.get(name)) is not None:
            for field, text in documentation.texts(kind).items():
                alias = kind.model_fields[field].alias or field
                node["properties"][alias] = _with_text(node["properties"][alias], text)
    return found


@functools.cache
def _of_pydantic(model: type[Spec]) -> dict[str, Any]:
    return model.model_json_schema()


def _with_text(node: dict[str, Any], text: str) -> dict[str, Any]:
    """Among the other keys where pydantic would put it: in the order of the alphabet."""
    whole = {**node, "description": text}
    return dict(sorted(whole.items())) if list(node) == sorted(node) else whole


def _kinds(kind: type[Spec]) -> Iterator[type[Spec]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", "#/$defs/Part") if key == "$ref" else _renamed(value)
            for key, value in node.items()
        }
    return [_renamed(item) for item in node] if isinstance(node, list) else node


def _tidied(node: Any) -> Any:
    """Without pydantic's titles, which repeat the names."""
    if isinstance(node, dict):
        return {
            key: _tidied(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_tidied(item) for item in node] if isinstance(node, list) else node


def _without_title(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ("title", "$schema")}
