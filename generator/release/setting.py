"""One chart value that an environment decides, and the field that decides it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

Key = tuple[str, ...]
_SCALARS = frozenset({str, int, bool, float, type(None)})

PROMISE = "gen-env"
"""The owner of values that keep a promise of gen-env's; `values:` may not touch them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """A chart value: where it goes, what it is, and who decides.

    `field` is the definition's field in dotted form, PROMISE, or empty for a mere default that
    `values:` may override. `idle` where the field closes nothing: it is not in use and the value
    only switches off what it would bring, or `values:` may add to the value.
    """

    key: Key
    value: Any
    field: str = ""
    idle: bool = False

    @property
    def firm(self) -> bool:
        """Whether `values:` may not touch it."""
        return bool(self.field) and not self.idle


def put(key: str, value: Any, field: str = "") -> Setting:
    """A setting by dotted chart key; parts with a dot in them need `Setting` itself."""
    return Setting(tuple(key.split(".")), value, field)


def switch(key: str, field: str, *, on: bool) -> Setting:
    """`<key>.enabled` as a field says; off, the field is idle and `values:` may turn it on."""
    return Setting((*key.split("."), "enabled"), on, field, idle=not on)


def put_some(key: str, value: Any, field: str = "") -> list[Setting]:
    """The setting, or none where the value is None or empty."""
    return [] if value is None or value in ({}, [], (), "") else [put(key, value, field)]


def put_joined(key: str, lines: str | list[Any], field: str) -> list[Setting]:
    """A list, or the text of one, to which `values:` may add; nothing for an empty one."""
    return [Setting(tuple(key.split(".")), lines, field, idle=True)] if lines else []


def nest(settings: Iterable[Setting]) -> dict[str, Any]:
    """The settings as one nested mapping; two settings may not meet."""
    values: dict[str, Any] = {}
    for setting in settings:
        node = values
        for part in setting.key[:-1]:
            node = node.setdefault(part, {})
        last = setting.key[-1]
        if isinstance(setting.value, Mapping) and isinstance(node.get(last), dict):
            overlay(node[last], setting.value)
        elif last in node:
            raise AssertionError(f"two settings for {'.'.join(setting.key)}")
        else:
            node[last] = copied(setting.value)
    return values


def overlay(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Merge `source` over `target` as Helm merges values: maps merge, lists replace."""
    for key, value in source.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            overlay(target[key], value)
        else:
            target[key] = copied(value)


def copied(value: Any) -> Any:
    """A deep copy of plain data: mappings become dicts, sequences lists."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {str(key): copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item) for item in value]
    return value
