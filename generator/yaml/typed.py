"""Unquoted scalars resolved to types, for readers that want more than text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generator.yaml import scalars
from generator.yaml.document import Path
from generator.yaml.scalars import Plain


def as_json_types(value: Any) -> Any:
    """The data with every `Plain` as YAML 1.2 reads it; dates and `on` stay strings."""
    if isinstance(value, Plain):
        return scalars.core(value)
    if isinstance(value, dict):
        return {str(key): as_json_types(item) for key, item in value.items()}
    return [as_json_types(item) for item in value] if isinstance(value, list) else value


def as_helm(value: Any) -> tuple[Any, list[tuple[Path, str]]]:
    """The data as Helm reads it, and the scalars and keys that others read differently.

    Each finding is the path and a message that says to quote it; the path is the written one.
    """
    findings: list[tuple[Path, str]] = []
    return _resolve(value, (), lambda path, text: findings.append((path, text))), findings


def _resolve(value: Any, path: Path, report: Callable[[Path, str], None]) -> Any:
    if isinstance(value, Plain):
        if scalars.differs(value):
            report(path, _message("value", value))
        return scalars.helm(value)
    if isinstance(value, dict):
        return {
            _resolve_key(key, (*path, key), report): _resolve(item, (*path, key), report)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_resolve(item, (*path, index), report) for index, item in enumerate(value)]
    return value


def _resolve_key(key: str, path: Path, report: Callable[[Path, str], None]) -> str:
    if not isinstance(key, Plain):
        return key
    # A plain number mostly makes the same key everywhere; `on`, `010` and `1.10` do not.
    made = scalars.helm_key(key)
    if made != key or scalars.differs(key):
        report(path, _message("key", key))
    return made


def _message(what: str, text: str) -> str:
    old, helm, core = scalars.kinds(text)
    if old == helm == core:
        return f"this {what} is not quoted, and YAML 1.1 and 1.2 read different {old}s: quote it"
    return (
        f"this {what} is not quoted: YAML 1.1 reads a {old}, Helm a {helm}, "
        f"YAML 1.2 a {core}; quote it"
    )
