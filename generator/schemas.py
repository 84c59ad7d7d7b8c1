"""JSON Schemas of the files that people write, for editors."""

from __future__ import annotations

import copy
from typing import Any

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
    found = Environment.model_json_schema()
    found["required"] = ["metadata", "destination", "airflow", "chart", "dags"]
    return {"$schema": _DIALECT, "title": "environment.yaml", **_without_title(_tidied(found))}


def _repository() -> dict[str, Any]:
    """Defaults hold parts of a definition: the same fields, none of them required."""
    found = Repository.model_json_schema()
    part = Environment.model_json_schema()
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
