"""A definition as people would write it: short things on one line, the rest in blocks."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from generator.core.layered import in_key_order
from generator.model.environment import Environment
from generator.model.marks import WrittenAfter, marked
from generator.tree import scaffold
from generator.yaml.scalars import Plain
from generator.yaml.writer import Layout, source

_FIELDS = Layout(width=100)
# With two dots no reader takes it for a number.
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def definition(
    name: str, data: Mapping[str, Any], rest: Mapping[str, Any], paths: Sequence[str]
) -> str:
    """The text of environment.yaml."""
    head = [
        f"# yaml-language-server: $schema={scaffold.to_root(name)}.gen-env/environment.schema.json",
        f"# Adopted from {', '.join(paths)}. While `adoption` is here, only its steps of hardening"
        f" are on: gen-env harden {name} --list",
    ]
    rank = {key: place for place, key in enumerate(order())}
    ordered = sorted(data, key=lambda key: rank.get(key, len(rank)))
    body = [source({key: _unquoted(data[key]) for key in ordered}, _FIELDS)]
    if rest:
        body.append(source({"values": in_key_order(rest)}))
    return "\n".join([*head, *body]) + "\n"


@functools.cache
def order() -> tuple[str, ...]:
    """The sections of a definition as they are written: the model's order, but for its marks."""
    names = [info.alias or name for name, info in Environment.model_fields.items()]
    for (name,), mark in marked(Environment, WrittenAfter):
        names.remove(name)
        names.insert(names.index(mark.field) + 1, name)
    return tuple(names)


def _unquoted(value: Any) -> Any:
    """The data with versions such as `3.2.2` as people write them: without quotes."""
    if isinstance(value, Mapping):
        return {key: _unquoted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unquoted(item) for item in value]
    return Plain(value) if isinstance(value, str) and _VERSION.fullmatch(value) else value
