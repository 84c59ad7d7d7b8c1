"""A definition as people would write it: short things on one line, the rest in blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.tree import scaffold
from generator.yaml.scalars import Plain
from generator.yaml.writer import dump, flow_source

_WIDTH = 100
# With two dots no reader takes it for a number.
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_ORDER = (
    *("apiVersion", "kind", "metadata", "destination", "adoption", "airflow", "chart", "image"),
    *("security", "auth", "database", "pgbouncer", "broker", "keys", "jobs", "dags", "placement"),
    *("apiServer", "scheduler", "dagProcessor", "triggerer", "workers", "serviceAccount", "rbac"),
    *("logging", "metrics", "tracing", "ingress", "networkPolicy", "secrets"),
)


def definition(
    name: str, data: Mapping[str, Any], rest: Mapping[str, Any], paths: Sequence[str]
) -> str:
    """The text of environment.yaml."""
    head = [
        f"# yaml-language-server: $schema={scaffold.to_root(name)}.gen-env/environment.schema.json",
        f"# Adopted from {', '.join(paths)}. Hardening is off: gen-env harden {name} --list",
    ]
    ordered = sorted(data, key=lambda key: (_ORDER.index(key) if key in _ORDER else 99, key))
    body = [line for key in ordered for line in _field(key, data[key])]
    if rest:
        body += ["values:", *_indented(dump(_sorted(rest)))]
    return "\n".join([*head, *body]) + "\n"


def _field(key: str, value: Any) -> Iterator[str]:
    line = f"{key}: {flow_source(_source(value))}"
    multiline = any(isinstance(item, str) and "\n" in item for item in _scalars(value))
    if not isinstance(value, Mapping) or (len(line) <= _WIDTH and not multiline):
        yield line
        return
    yield f"{key}:"
    for name, item in value.items():
        inner = list(_field(name, item))
        if isinstance(item, str) and "\n" in item:
            inner = dump({name: item}).rstrip("\n").split("\n")
        yield from (f"  {text}" for text in inner)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _source(value: Any) -> Any:
    """The data as `read` would give it: numbers and booleans as plain scalars."""
    if isinstance(value, Mapping):
        return {key: _source(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_source(item) for item in value]
    if isinstance(value, bool):
        return Plain(str(value).lower())
    if isinstance(value, int | float) or (isinstance(value, str) and _VERSION.fullmatch(value)):
        return Plain(str(value))
    return value


def _indented(text: str) -> list[str]:
    return [f"  {line}" if line else line for line in text.rstrip("\n").split("\n")]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
