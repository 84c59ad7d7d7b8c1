"""jsonschema's errors in words, without the values that caused them."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from generator.core.layered import Path, dotted

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_LIMITS = {
    "minimum": "must not be below {}",
    "maximum": "must not be above {}",
    "exclusiveMinimum": "must be above {}",
    "exclusiveMaximum": "must be below {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One error: where, what is wrong, and what may help. Never a value."""

    path: Path
    message: str
    hint: str = ""


def type_name(value: Any) -> str:
    """The JSON type of a value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ''.

    A name of another secret is no slip of the pen: for these almost all letters must be the same.
    """
    candidates = sorted({str(item) for item in known})
    same = [item for item in candidates if item.lower() == word.lower()]
    cutoff = 0.92 if "secret" in word.lower() else 0.72
    return next(iter(same or difflib.get_close_matches(word, candidates, n=1, cutoff=cutoff)), "")


class SchemaCheck:
    """A validator that remembers its answers: most objects are the same before and after a change.

    It keeps digests of what it was given and the faults, never the objects.
    """

    _LIMIT = 10_000

    def __init__(self, validator: Validator) -> None:
        self._validator = validator
        self._answers: dict[bytes, tuple[Fault, ...]] = {}

    def faults(self, instance: Any) -> tuple[Fault, ...]:
        """Every error once; of alternatives, the one that was probably intended."""
        digest = hashlib.sha256(repr(instance).encode("utf-8", "surrogatepass")).digest()
        answer = self._answers.get(digest)
        if answer is None:
            errors = self._validator.iter_errors(instance)
            answer = tuple(dict.fromkeys(_all(errors)))
            if len(self._answers) >= self._LIMIT:
                self._answers.clear()
            self._answers[digest] = answer
        return answer


def _all(errors: Iterable[ValidationError]) -> Iterator[Fault]:
    for error in errors:
        yield from _faults(error, ())


def _faults(error: ValidationError, prefix: Path) -> Iterator[Fault]:
    path = prefix + tuple(error.relative_path)
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_keys(error, path)
        case "required":
            yield from _missing_keys(error, path)
        case "oneOf" | "anyOf":
            yield from _alternatives(error, path)
        case _:
            yield Fault(path, f"{dotted(path) or 'the document'} {_says(error)}")


def _says(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    match error.validator:
        case "type":
            return f"must be {_one_of(wanted)}, not {type_name(error.instance)}"
        case "enum":
            return "must be one of " + ", ".join(_shown(item) for item in wanted)
        case "const":
            return f"must be {_shown(wanted)}"
        case "pattern":
            return "does not have the required form"
        case "uniqueItems":
            return "must not hold an entry twice"
        case "format":
            return f"is not a valid {wanted}"
        case str(keyword) if keyword in _LIMITS:
            return _LIMITS[keyword].format(wanted)
        case _:
            return "is not allowed here"


def _one_of(types: Any) -> str:
    names = [types] if isinstance(types, str) else list(types)
    words = [_TYPES.get(str(name), str(name)) for name in names if name != "null"] or ["null"]
    return " or ".join(words)


def _shown(value: Any) -> str:
    return (
        "null"
        if value is None
        else str(value)
        if not isinstance(value, bool)
        else str(value).lower()
    )


def _unknown_keys(error: ValidationError, path: Path) -> Iterator[Fault]:
    if not isinstance(error.instance, Mapping):
        return
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    known = set(schema.get("properties") or ())
    for key in error.instance:
        if key in known:
            continue
        meant = near(str(key), known)
        yield Fault(
            (*path, key),
            f"unknown key {dotted((*path, key))}",
            f"did you mean {meant}?" if meant else "",
        )


def _missing_keys(error: ValidationError, path: Path) -> Iterator[Fault]:
    instance = error.instance if isinstance(error.instance, Mapping) else {}
    where = dotted(path)
    wanted = error.validator_value if isinstance(error.validator_value, list) else []
    # jsonschema yields one error for each missing key; its message begins with the key.
    missing = [key for key in wanted if key not in instance and error.message.startswith(repr(key))]
    for key in missing:
        yield Fault(path, f"{where} lacks the key {key}" if where else f"the key {key} is missing")


def _alternatives(error: ValidationError, path: Path) -> Iterator[Fault]:
    """The nested errors of the closest branch, or all types that would do."""
    branches: dict[int, list[ValidationError]] = {}
    for nested in error.context or ():
        branches.setdefault(int(nested.schema_path[0]), []).append(nested)
    fitting = [items for items in branches.values() if not any(_wrong_type(item) for item in items)]
    if not fitting:
        kinds: list[str] = []
        for items in branches.values():
            for item in items:
                wanted: Any = item.validator_value if _wrong_type(item) else []
                kinds += [wanted] if isinstance(wanted, str) else list(wanted)
        if kinds:
            text = f"must be {_one_of(dict.fromkeys(kinds))}, not {type_name(error.instance)}"
            yield Fault(path, f"{dotted(path)} {text}")
        else:
            yield Fault(path, f"{dotted(path)} fits none of the allowed forms")
        return
    for nested in min(fitting, key=_distance):
        yield from _faults(nested, path)


def _distance(branch: list[ValidationError]) -> tuple[int, int]:
    """How far a branch is from fitting: errors near the root weigh most, then their number."""
    return (-min(len(item.relative_path) for item in branch), len(branch))


def _wrong_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path
