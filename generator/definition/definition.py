"""A definition as written: its document and its place, before any default is applied."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from generator.core.layered import Path, dotted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import url_secrets
from generator.model.environment import API_VERSION
from generator.model.repository import Repository
from generator.yaml import reader
from generator.yaml.reader import Document

FILE_NAME = "environment.yaml"
SETTINGS = "gen-env.yaml"
ROOT = "environments"

SCHEMA = Rule(
    "settings/schema",
    Severity.ERROR,
    "A wrong field or value in gen-env.yaml",
    "What is not understood is never guessed.",
)

_LONGEST = 63
_RESERVED = ("generated", "manifests", "secrets")
_VERSION = re.compile(r"gen-env\.dev/v([0-9]{1,9})")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """One environment.yaml: identity (the path below environments/) and document."""

    name: str
    document: Document

    @property
    def folder(self) -> str:
        """The environment's folder, relative to the repository."""
        return f"{ROOT}/{self.name}"

    @property
    def path(self) -> str:
        """The file, relative to the repository."""
        return f"{self.folder}/{FILE_NAME}"

    @property
    def data(self) -> Mapping[str, Any]:
        """What is written, with scalars as their source text; empty when it is no mapping."""
        return self.document.data if isinstance(self.document.data, Mapping) else {}

    @property
    def tier(self) -> str:
        """The tier as written, `development` when nothing sensible is."""
        metadata = self.data.get("metadata")
        tier = metadata.get("tier") if isinstance(metadata, Mapping) else None
        return str(tier) if tier in ("staging", "production") else "development"

    def part(self, *path: str) -> Any:
        """The value at `path` as written, or None."""
        value: Any = self.data
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """gen-env.yaml: the validated settings and the document that they stand in."""

    repository: Repository
    document: Document


def name_faults(name: str) -> Iterator[str]:
    """Every reason why an environment's name (`staging`, `payments/staging`) is invalid."""
    parts = name.split("/")
    if len(parts) > 2:
        yield "an environment is environments/<name> or environments/<team>/<name>, not deeper"
    if len(name) > _LONGEST:
        yield f"longer than {_LONGEST} characters in all: it is the value of a label"
    for part in parts:
        if part in _RESERVED:
            yield f"'{part}' is reserved for a folder of gen-env: choose another name"
        if not _NAME.fullmatch(part):
            yield (
                f"'{part}' is not a DNS label: lower-case letters, digits and -,"
                " at most 63 characters, a letter or digit at both ends"
            )


def load(name: str, text: bytes) -> Definition:
    """Parse one definition; raises YamlError with file and line."""
    return Definition(name, reader.read(text, f"{ROOT}/{name}/{FILE_NAME}"))


# A comparison reads the same text for both sides, for its charts, its engine and its policy.
@functools.lru_cache(maxsize=4)
def load_settings(text: bytes) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Parse and validate gen-env.yaml: the settings, or every problem with its line."""
    document = reader.read(text, SETTINGS)
    exposed = tuple(url_secrets.problems(document, SETTINGS))
    try:
        repository = Repository.model_validate(document.data)
    except pydantic.ValidationError as error:
        invalid = (
            SCHEMA.problem(message, path=SETTINGS, line=document.line(place), hint=hint)
            for place, message, hint in faults(error, document.data, Repository)
        )
        return None, (*invalid, *exposed)
    return (None if exposed else Settings(repository, document)), exposed


# pydantic's own words (docs.pydantic.dev/latest/errors/validation_errors) are for programmers.
_WORDS = {
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), "it must be a mapping"),
    **dict.fromkeys(("list_type", "set_type", "tuple_type"), "it must be a list"),
    **dict.fromkeys(("float_parsing", "int_parsing"), "it must be a number without a unit"),
    "bool_type": "write true or false",
    "ip_any_network": "write an address, or a network as 10.0.0.0/8",
    "path_type": "it must be a path",
    "string_type": "it must be text",
    "too_short": "give at least one",
}


def faults(
    error: pydantic.ValidationError, data: Any, model: type[pydantic.BaseModel]
) -> Iterator[tuple[Path, str, str]]:
    """Place, message and hint of each validation error; values are never quoted."""
    for entry in error.errors(include_input=False, include_url=False, include_context=False):
        place = _written(entry["loc"], data)
        kind = entry["type"]
        where = dotted(place) or "the document"
        if kind == "extra_forbidden":
            yield place, f"unknown field {where}", _did_you_mean(place, model, data)
        elif kind == "missing":
            yield place[:-1], f"{where} is missing", f"add {place[-1]}"
        elif place == ("apiVersion",):
            yield place, *_version_fault(str(data[place[0]]))
        else:
            yield place, f"{where}: {_WORDS.get(kind) or _sentence(entry['msg'])}", ""


def _sentence(words: str) -> str:
    text = words.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return re.sub("^input should", "it must", f"{text[:1].lower()}{text[1:]}")


def _version_fault(version: str) -> tuple[str, str]:
    """Message and hint for an apiVersion other than this gen-env's."""
    number = _VERSION.fullmatch(version)
    if number and int(number[1]) > int(API_VERSION.rpartition("/v")[2]):
        return (
            f"apiVersion {version} is newer than {API_VERSION}, the only one this gen-env reads",
            "install the gen-env that wrote the file, or a newer one",
        )
    return f"apiVersion is not {API_VERSION}", f"write apiVersion: {API_VERSION}"


def _written(location: tuple[int | str, ...], data: Any) -> Path:
    """pydantic's location without the tags of unions, which nobody wrote."""
    path: list[str | int] = []
    value = data
    last = len(location) - 1
    for index, part in enumerate(location):
        inside = isinstance(value, Mapping) and part in value
        inside = inside or (isinstance(value, list | tuple) and isinstance(part, int))
        if inside:
            value = value[part]
            path.append(part)
        elif index == last and part not in ("[key]",):
            if not (isinstance(value, Mapping) and value.get("type") == part):
                path.append(part)
        elif part == "[key]":
            continue
    return tuple(path)


def _did_you_mean(place: Path, model: type[pydantic.BaseModel], data: Any) -> str:
    import difflib

    known = sorted(_fields_at(model, place[:-1], data))
    close = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(known)}" if known else ""


@functools.cache
def _schema(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _fields_at(model: type[pydantic.BaseModel], place: Path, data: Any) -> set[str]:
    """Names of the fields that may stand below `place`, by walking the JSON Schema."""
    schema = _schema(model)
    definitions = schema.get("$defs", {})
    candidates = [schema]
    for part in place:
        below: list[dict[str, Any]] = []
        for candidate in candidates:
            for node in _alternatives(candidate, definitions):
                if isinstance(part, int):
                    below += [node["items"]] if "items" in node else node.get("prefixItems", [])
                elif part in node.get("properties", {}):
                    below.append(node["properties"][part])
                elif isinstance(node.get("additionalProperties"), dict):
                    below.append(node["additionalProperties"])
        candidates = below
    return {
        name
        for candidate in candidates
        for node in _alternatives(candidate, definitions)
        for name in node.get("properties", {})
    }


def _alternatives(node: dict[str, Any], definitions: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        return _alternatives(definitions[node["$ref"].rpartition("/")[2]], definitions)
    found = (
        []
        if not ("properties" in node or "items" in node or "additionalProperties" in node)
        else [node]
    )
    for option in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        found += _alternatives(option, definitions)
    return found
