"""What the rest of gen-env does with a field of a definition, said at the field itself.

A mark is metadata of an `Annotated` field; validation and schemas do not see it.
"""

import dataclasses
import enum
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pydantic

Mark = TypeVar("Mark")
FieldPath = tuple[str, ...]


class Copied(enum.Enum):
    """What a copy of a definition (`gen-env new --from`) does with a field and all below it.

    What is asked for comes in this order.
    """

    KEEP = "alike in both, or what the copy sets itself"
    DERIVE = "left out: it follows from the new name, or has a default of its own"
    FILL_IN = "left out, and named: it is the other environment's alone and has no default"
    ASK_HOST = "asked for; what else names that host is left out"
    ASK = "asked for"
    ASK_URL = "asked for after the others; what else names it is left out"
    ASK_NETWORKS = "asked for where network policies are enforced, else left out"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CopiedByKey:
    """The same for a mapping, key by key."""

    keys: Mapping[str, Copied]


@dataclasses.dataclass(frozen=True, slots=True)
class WrittenAfter:
    """Where a field stands in a definition that gen-env writes, if not in the model's order."""

    field: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class BuiltIn:
    """gen-env's own default of a field: everywhere, then by tier. None says nothing."""

    everywhere: Any = None
    development: Any = None
    staging: Any = None
    production: Any = None


def marked(
    model: type[pydantic.BaseModel], kind: type[Mark], path: FieldPath = ()
) -> Iterator[tuple[FieldPath, Mark]]:
    """Path and mark of every field that has one of this kind, sections before what is in them.

    What stands in a list or below free keys has no path of its own.
    """
    for name, info in model.model_fields.items():
        place = (*path, info.alias or name)
        yield from ((place, item) for item in info.metadata if isinstance(item, kind))
        for section in sections(info.annotation):
            yield from marked(section, kind, place)


def sections(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    """The models that a field's value may be."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    elif typing.get_origin(annotation) not in (dict, tuple):
        for part in typing.get_args(annotation):
            yield from sections(part)
