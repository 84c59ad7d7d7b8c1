"""An object as lines of YAML made for comparing: sorted keys, texts line by line.

This is not the writer of files: values with line breaks are always written as blocks of their own
lines, also where YAML would demand an escaped string (`key = ` with a blank at the end, as every
airflow.cfg has it), so that the difference of two texts is a difference of lines.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from typing import Any

from generator.core.visible import visible
from generator.yaml import scalars

_PLAIN = re.compile(
    r"[A-Za-z0-9_/.$<(][A-Za-z0-9_./$<>()@%+=,;~^*'\"\\|?! -]*(?::[A-Za-z0-9_./@=-]+)*"
)
# The order of `canonical`; keys of other types than text must not stop the comparison.
_TOP = ("apiVersion", "kind", "metadata")
_METADATA = ("name", "namespace", "labels", "annotations")


def lines(value: Any) -> list[str]:
    """The lines of one object, without line ends."""
    found: list[str] = []
    _block(found, value, "", _TOP)
    return found


def _block(found: list[str], value: Any, indent: str, first: tuple[str, ...] = ()) -> None:
    if isinstance(value, dict):
        for key in _sorted(value, first):
            following = _METADATA if first is _TOP and key == "metadata" else ()
            _entry(found, f"{indent}{_scalar(key)}:", value[key], indent, following)
    else:
        for item in value:
            _item(found, item, indent)


def _entry(found: list[str], prefix: str, value: Any, indent: str, first: tuple[str, ...]) -> None:
    if isinstance(value, dict) and value:
        found.append(prefix)
        _block(found, value, indent + "  ", first)
    elif isinstance(value, list | tuple) and value:
        found.append(prefix)
        _block(found, value, indent)
    else:
        _leaf(found, prefix, value, indent + "  ")


def _item(found: list[str], value: Any, indent: str) -> None:
    """An entry of a list; its name comes first, so that fields beside it move no other line."""
    if isinstance(value, dict | list | tuple) and value:
        place = len(found)
        _block(found, value, indent + "  ", ("name",))
        found[place] = f"{indent}- {found[place].lstrip(' ')}"
    else:
        _leaf(found, f"{indent}-", value, indent + "  ")


def _leaf(found: list[str], prefix: str, value: Any, indent: str) -> None:
    if isinstance(value, str) and "\n" in value:
        _text(found, prefix, value, indent)
    else:
        found.append(f"{prefix} {_scalar(value)}")


def _text(found: list[str], prefix: str, value: str, indent: str) -> None:
    """A block scalar: `|` ends with one line end, `|-` with none, `|+` with several."""
    body = value.split("\n")
    if body[-1]:
        mark = "|-"
    else:
        body.pop()
        mark = "|+" if body and not body[-1] else "|"
    # A reader finds the indentation by the first line, unless that one is empty or indented.
    digit = "2" if value.startswith((" ", "\t", "\n")) else ""
    found.append(f"{prefix} {mark[0]}{digit}{mark[1:]}")
    found.extend(f"{indent}{visible(line)}" if line else "" for line in body)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _word(value) if len(value) < _SHORT else _quoted(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, bytes):
        return f"!!binary {base64.b64encode(value).decode()}"
    return str(value)


def _quoted(text: str) -> str:
    return text if _is_plain(text) else visible(json.dumps(text, ensure_ascii=False))


# Names of fields and short values come back in every object; what is shown here is masked already.
_SHORT = 64
_word = functools.lru_cache(maxsize=4096)(_quoted)


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None and not text.endswith(" ") and not scalars.is_plain(text)
    )


def _sorted(mapping: dict[Any, Any], first: tuple[str, ...]) -> list[Any]:
    if not first and all(isinstance(key, str) for key in mapping):
        return sorted(mapping)

    def order(key: Any) -> tuple[int, str, str]:
        rank = first.index(key) if key in first else len(first)
        return (rank, str(key), type(key).__name__)

    return sorted(mapping, key=order)
