"""What is wrong with the settings, in words for people: the line, the setting, what it must be."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pydantic

from generator.redaction.secret import Secret
from service.settings.schema import SecretSource

Place = tuple[int | str, ...]
# pydantic speaks of inputs and values; people have settings.
_WORDS = (
    ("Value error, ", ""),
    ("Input should", "it must"),
    ("value is not a valid IPv4 or IPv6 network", "write an address, or a network as 10.0.0.0/8"),
    ("List should have at least 1 item after validation, not 0", "give at least one"),
    ("Dictionary should have at least 1 item after validation, not 0", "give at least one"),
)


def described(
    error: pydantic.ValidationError,
    model: type[pydantic.BaseModel],
    line: Callable[[Place], int | None],
) -> Iterator[str]:
    """One sentence for each fault, by lines; `line` tells where a place stands. Quotes no value."""
    found = [
        (line(tuple(entry["loc"])) or 0, _sentence(tuple(entry["loc"]), entry, model))
        for entry in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    for number, text in sorted(found, key=lambda item: item[0]):
        yield f"line {number}: {text}" if number else text


def _sentence(place: Place, entry: Any, model: type[pydantic.BaseModel]) -> str:
    where = ".".join(map(str, place)) or "settings"
    if entry["type"] == "extra_forbidden":
        return f"unknown setting {where}{_meant(place, model)}"
    if entry["type"] == "missing":
        return f"{where} is missing"
    text = entry["msg"]
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return f"{where}: {text}"


def _meant(place: Place, model: type[pydantic.BaseModel]) -> str:
    *above, name = place
    known: list[str] = []
    for found in _models(model, above):
        known += [field.alias or plain for plain, field in found.model_fields.items()]
    if close := difflib.get_close_matches(str(name), known, 1):
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _models(annotation: Any, above: list[int | str]) -> list[type[pydantic.BaseModel]]:
    """The models that may stand at a place below something of this type."""
    annotation = SecretSource if annotation is Secret else annotation
    arguments = typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        if not above:
            return [annotation]
        below = [
            field.annotation
            for name, field in annotation.model_fields.items()
            if above[0] in (name, field.alias)
        ]
    elif typing.get_origin(annotation) in (list, dict) and above:
        below = [arguments[-1]]
    else:
        return [found for part in arguments for found in _models(part, above)]
    return [found for part in below for found in _models(part, above[1:])]
