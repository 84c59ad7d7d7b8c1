"""Data as YAML that YAML 1.1 and 1.2 readers agree on, the same bytes every time."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generator.yaml import scalars
from generator.yaml.scalars import Plain

# Unquoted only what no reader can take for anything else; the rest costs two quotes.
_WORDS = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+%,()-]*(?:[ :][A-Za-z0-9_./@+%,()-]+)*")
# Starts like a number, a date or a time and holds nothing else: several dialects differ here.
_NUMBERLIKE = re.compile(r"[0-9.+-][0-9a-fA-FxXoO_.:eEtTzZ +-]*")
# Beyond what JSON escapes: characters that YAML calls unprintable or takes for a line break.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NO_BLOCK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|^[ \t]+$", re.M)
_LONGEST_KEY = 900  # libyaml looks 1024 characters ahead for the ':' of a key


def dump(value: Any, *, quote_all: bool = False) -> str:
    """One document: block style, order kept, lists not indented below their key.

    Takes mappings with string keys, lists, tuples, strings (also `Plain`, always a string here),
    integers, floats, booleans and None. Strings are quoted unless safe; with `quote_all` every
    string value is. Raises TypeError for other types, ValueError for text that is not Unicode.
    """
    emitter = _Emitter(_quoted if quote_all else _string)
    emitter.document(value)
    return "".join(emitter.parts)


def dump_all(values: Iterable[Any], *, quote_all: bool = False) -> str:
    """Several documents, with `---` between them."""
    return "---\n".join(dump(value, quote_all=quote_all) for value in values)


def dump_source(value: Any, *, step: int = 2, list_step: int = 0) -> str:
    """Data as `reader.read` gives it, as a block: a `Plain` comes out unquoted, as it was written.

    `step` and `list_step` are how far a mapping and a list are indented below their key.
    """
    emitter = _Emitter(scalar_source, " " * step, " " * list_step)
    emitter.document(value)
    return "".join(emitter.parts)


def flow_source(value: Any) -> str:
    """Data as `reader.read` gives it, on one line: `{a: 1, b: [c, d]}`."""
    if isinstance(value, Mapping):
        pairs = [f"{_flow_string(key)}: {flow_source(item)}" for key, item in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow_source, value))}]"
    if value is None or isinstance(value, Plain):
        return "null" if value is None else str(value)
    return _flow_string(value)


def scalar_source(value: str) -> str:
    """A string on one line: a `Plain` as it was written, others quoted if need be."""
    return str(value) if isinstance(value, Plain) else _string(value)


def quoted(text: str) -> str:
    """The text in double quotes."""
    return _quoted(text)


class _Emitter:
    def __init__(self, string: Callable[[str], str], step: str = "  ", list_step: str = "") -> None:
        self.parts: list[str] = []
        self._string = string
        self._step = step
        self._list_step = list_step

    def document(self, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            self._mapping(value, "", "")
        elif isinstance(value, list | tuple) and value:
            self._sequence(value, "", "")
        else:
            self.parts.append(self._leaf(value, "  ") + "\n")

    def _mapping(self, value: Mapping[str, Any], first: str, indent: str) -> None:
        """`first` is what stands before the first key: the indentation, or `- ` of a list."""
        lead = first
        for key, item in value.items():
            self._entry(f"{lead}{_key(key, indent)}:", item, indent)
            lead = indent

    def _entry(self, head: str, item: Any, indent: str) -> None:
        if type(item) is str and "\n" not in item:  # most are; an ABC's isinstance is slow
            self.parts.append(f"{head} {self._string(item)}\n")
        elif isinstance(item, Mapping) and item:
            self.parts.append(head + "\n")
            self._mapping(item, indent + self._step, indent + self._step)
        elif isinstance(item, list | tuple) and item:
            self.parts.append(head + "\n")
            inner = indent + self._list_step
            self._sequence(item, inner, inner)
        else:
            self.parts.append(f"{head} {self._leaf(item, indent + self._step)}\n")

    def _sequence(self, value: Iterable[Any], first: str, indent: str) -> None:
        lead = first + "- "
        inner = indent + "  "
        for item in value:
            if isinstance(item, Mapping) and item:
                self._mapping(item, lead, inner)
            elif isinstance(item, list | tuple) and item:
                self._sequence(item, lead, inner)
            else:
                self.parts.append(f"{lead}{self._leaf(item, inner)}\n")
            lead = indent + "- "

    def _leaf(self, value: Any, indent: str) -> str:
        if isinstance(value, str):
            if "\n" in value and (found := block(value, indent)) is not None:
                return found
            return self._string(value if isinstance(value, Plain) else str.__str__(value))
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return int.__repr__(value)
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, Mapping):
            return "{}"
        if isinstance(value, list | tuple):
            return "[]"
        raise TypeError(f"YAML has no form for {type(value).__name__}")


def _key(key: Any, indent: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__}")
    text = _string(str.__str__(key))
    return text if len(text) <= _LONGEST_KEY else f"? {text}\n{indent}"


@functools.lru_cache(maxsize=8192)
def _string(text: str) -> str:
    """Unquoted when every reader takes it for this very string, otherwise quoted."""
    if _WORDS.fullmatch(text) and not _NUMBERLIKE.fullmatch(text) and not scalars.is_plain(text):
        return text
    return _quoted(text)


@functools.lru_cache(maxsize=8192)
def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    quoted.encode("utf-8")  # half a surrogate pair is no text: UnicodeEncodeError is a ValueError
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _flow_string(text: str) -> str:
    # ',' and ' ' are what flow collections are made of; ':' before them as well.
    return _quoted(text) if re.search(r"[, :]", text) else _string(text)


def block(text: str, indent: str) -> str | None:
    """The text as a literal block, or None where that would not bring it back unchanged.

    Nor for several line breaks at the end: whatever follows such a block could become part of it.
    """
    if text[0] in " \t\n" or text.endswith("\n\n") or _NO_BLOCK.search(text):
        return None
    chomping = "" if text.endswith("\n") else "-"
    lines = text.removesuffix("\n").split("\n")
    return f"|{chomping}\n" + "\n".join(indent + line if line else "" for line in lines)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    mantissa, separator, exponent = float.__repr__(value).partition("e")
    # YAML 1.1 takes 1e+20 for a string: it wants the point.
    return f"{mantissa}.0e{exponent}" if separator and "." not in mantissa else repr(value)
