"""An object as lines of YAML made for comparing: sorted keys, texts line by line.

This is not the writer of files: values with line breaks are always written as blocks of their own
lines, also where YAML would demand an escaped string (`key = ` with a blank at the end, as every
airflow.cfg has it), so that the difference of two texts is a difference of lines.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from generator import yamlscalar
from generator.diff.visible import visible

_PLAIN = re.compile(
    r"[A-Za-z0-9_/.$<(][A-Za-z0-9_./$<>()@%+=,;~^*'\"\\|?! -]*(?::[A-Za-z0-9_./@=-]+)*"
)
# The order of `yamlio.canonical`; keys of other types than text must not stop the comparison.
_TOP = ("apiVersion", "kind", "metadata")
_METADATA = ("name", "namespace", "labels", "annotations")


def lines(value: Any) -> list[str]:
    """The lines of one object, without line ends."""
    return list(_block(value, "", _TOP))


def _block(value: Any, indent: str, first: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(value, dict):
        for key in _sorted(value, first):
            following = _METADATA if first is _TOP and key == "metadata" else ()
            yield from _entry(f"{indent}{_scalar(key)}:", value[key], indent, following)
    else:
        for item in value:
            yield from _item(item, indent)


def _entry(prefix: str, value: Any, indent: str, first: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield prefix
        yield from _block(value, indent + "  ", first)
    elif isinstance(value, list | tuple) and value:
        yield prefix
        yield from _block(value, indent)
    else:
        yield from _leaf(prefix, value, indent + "  ")


def _item(value: Any, indent: str) -> Iterator[str]:
    """An entry of a list; its name comes first, so that fields beside it move no other line."""
    if isinstance(value, dict | list | tuple) and value:
        inner = _block(value, indent + "  ", ("name",))
        yield f"{indent}- {next(inner).lstrip(' ')}"
        yield from inner
    else:
        yield from _leaf(f"{indent}-", value, indent + "  ")


def _leaf(prefix: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield from _text(prefix, value, indent)
    else:
        yield f"{prefix} {_scalar(value)}"


def _text(prefix: str, value: str, indent: str) -> Iterator[str]:
    """A block scalar: `|` ends with one line end, `|-` with none, `|+` with several."""
    body = value.split("\n")
    if body[-1]:
        mark = "|-"
    else:
        body.pop()
        mark = "|+" if body and not body[-1] else "|"
    # A reader finds the indentation by the first line, unless that one is empty or indented.
    digit = "2" if value.startswith((" ", "\t", "\n")) else ""
    yield f"{prefix} {mark[0]}{digit}{mark[1:]}"
    for line in body:
        yield f"{indent}{visible(line)}" if line else ""


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _is_plain(value) else visible(json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, bytes):
        return f"!!binary {base64.b64encode(value).decode()}"
    return str(value)


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and not text.endswith(" ")
        and not yamlscalar.is_plain(text)
    )


def _sorted(mapping: dict[Any, Any], first: tuple[str, ...]) -> list[Any]:
    def order(key: Any) -> tuple[int, str, str]:
        rank = first.index(key) if key in first else len(first)
        return (rank, str(key), type(key).__name__)

    return sorted(mapping, key=order)
