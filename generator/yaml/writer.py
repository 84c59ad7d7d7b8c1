"""Data as YAML that YAML 1.1 and 1.2 readers agree on, the same bytes every time."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import re
import sys
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


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """How `source` lays data out; the defaults are those of a new file.

    With `flow` everything goes on one line; with `width` every list does, and every mapping that
    fits into so many columns and holds no line break. `step` and `list_step` are how far a mapping
    and a list are indented below their key; `quote` (`"` or `'`) is put around every string.
    """

    flow: bool = False
    width: int = 0
    step: int = 2
    list_step: int = 0
    quote: str = ""


def source(value: Any, layout: Layout = Layout()) -> str:
    """Data as `reader.read` gives it, for files that people own: ruamel.yaml writes it.

    A `Plain` comes out as it was written, other strings in the quotes that `dump` gives them. The
    last line break is left out.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.Representer = _representer()
    yaml.width = sys.maxsize
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=layout.step, sequence=layout.list_step + 2, offset=layout.list_step)
    stream = io.StringIO()
    yaml.dump(_node(value, layout), stream)
    lines = stream.getvalue().removesuffix("\n...\n").removesuffix("\n").split("\n")
    # ruamel.yaml indents the outermost list as well.
    margin = len(lines[0]) - len(lines[0].lstrip(" "))
    return "\n".join(line[margin:] for line in lines)


@functools.cache
def _representer() -> Any:
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import RoundTripRepresenter

    class Representer(RoundTripRepresenter):
        """Leaves a `Plain` without quotes, whatever it means to a reader."""

    def plain(representer: Any, text: Plain) -> Any:
        tag = representer.dumper.resolver.resolve(ScalarNode, str(text), (True, False))
        return representer.represent_scalar(tag, str(text))

    Representer.add_representer(Plain, plain)
    return Representer


def _node(value: Any, layout: Layout) -> Any:
    """The data as ruamel.yaml holds it: each piece with the style that it is to be written in."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, Mapping):
        node: Any = CommentedMap()
        for key, item in value.items():
            node[_styled(key, layout, single=True)] = _node(item, _below(layout, key, item))
    elif isinstance(value, list | tuple):
        node = CommentedSeq(_node(item, layout) for item in value)
    else:
        return _styled(value, layout, single=layout.flow)
    if layout.flow or not value:
        node.fa.set_flow_style()
    return node


def _below(layout: Layout, key: str, item: Any) -> Layout:
    """The layout of what stands below a key."""
    if layout.flow or not layout.width:
        return layout
    flow = dataclasses.replace(layout, flow=True)
    if isinstance(item, Mapping):
        line = source(item, flow)
        if len(key) + len(": ") + len(line) > layout.width or "\\n" in line:
            return dataclasses.replace(layout, width=max(layout.width - layout.step, 1))
    return flow if isinstance(item, Mapping | list | tuple) else layout


def _styled(value: Any, layout: Layout, *, single: bool) -> Any:
    from ruamel.yaml import scalarstring

    if not isinstance(value, str):
        return Plain(dump(value).rstrip("\n"))
    if isinstance(value, Plain):
        return value
    if layout.quote == "'":
        return scalarstring.SingleQuotedScalarString(value)
    if not single and "\n" in value and _literal(value):
        return scalarstring.LiteralScalarString(value)
    if layout.quote or _string(value) != value or (layout.flow and re.search("[, :]", value)):
        return scalarstring.DoubleQuotedScalarString(value)
    return value


class _Emitter:
    def __init__(self, string: Callable[[str], str]) -> None:
        self.parts: list[str] = []
        self._string = string

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
        elif isinstance(item, (dict, Mapping)) and item:
            self.parts.append(head + "\n")
            self._mapping(item, indent + "  ", indent + "  ")
        elif isinstance(item, list | tuple) and item:
            self.parts.append(head + "\n")
            self._sequence(item, indent, indent)
        else:
            self.parts.append(f"{head} {self._leaf(item, indent + '  ')}\n")

    def _sequence(self, value: Iterable[Any], first: str, indent: str) -> None:
        lead = first + "- "
        inner = indent + "  "
        for item in value:
            if isinstance(item, (dict, Mapping)) and item:
                self._mapping(item, lead, inner)
            elif isinstance(item, list | tuple) and item:
                self._sequence(item, lead, inner)
            else:
                self.parts.append(f"{lead}{self._leaf(item, inner)}\n")
            lead = indent + "- "

    def _leaf(self, value: Any, indent: str) -> str:
        if isinstance(value, str):
            if "\n" in value and _literal(value):
                return _block(value, indent)
            return self._string(str.__str__(value))
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


def _literal(text: str) -> bool:
    """Whether a literal block brings the text back unchanged.

    Not with several line breaks at its end: what follows such a block could become part of it.
    """
    return not (text[0] in " \t\n" or text.endswith("\n\n") or _NO_BLOCK.search(text))


def _block(text: str, indent: str) -> str:
    chomping = "" if text.endswith("\n") else "-"
    lines = text.removesuffix("\n").split("\n")
    return f"|{chomping}\n" + "\n".join(indent + line if line else "" for line in lines)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    mantissa, separator, exponent = float.__repr__(value).partition("e")
    # YAML 1.1 takes 1e+20 for a string: it wants the point.
    return f"{mantissa}.0e{exponent}" if separator and "." not in mantissa else repr(value)
