"""A YAML file as a person wrote it: its data, and where each piece of it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import yaml

from generator.core.layered import Path
from generator.yaml import scalars
from generator.yaml.errors import YamlError
from generator.yaml.limits import BOM, WRITTEN, Event, Limits, copied, decoded, events, joined
from generator.yaml.scalars import Plain

_STRING_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_SCALAR_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null"))
MERGE = "<<"


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """Where one value stands: offsets count characters of `Document.text`, lines count from 1.

    `key_line`, `key_start` and `key_end` are those of its key; of a list item they are its own
    start. `column` (from 0) is where the value starts. `style` is the quote of a scalar (`'`, `"`,
    `|`, `>`), empty for an unquoted one; `shared` says that the value is an alias or has an anchor,
    so that an edit here could change it elsewhere.
    """

    kind: str
    line: int
    key_line: int
    key_start: int
    key_end: int
    column: int
    start: int
    end: int
    style: str = ""
    flow: bool = False
    shared: bool = False


@dataclasses.dataclass(frozen=True)
class Document:
    """One document: mappings, lists, `None`, `str`, and `Plain` for unquoted non-strings.

    `marks` holds a place for each path that is written out; what a merge or an alias brings in
    has none and reports its parent's line.
    """

    path: str
    text: str
    data: Any
    marks: Mapping[Path, Mark]

    def line(self, path: Path) -> int | None:
        """The line of that key or list item, or of its nearest ancestor that is written out."""
        for length in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark.key_line
        return None

    def key_line(self, path: Path) -> int | None:
        """The line of exactly that key or list item; None when it is not written out."""
        mark = self.marks.get(path)
        return mark.key_line if mark else None

    def step(self, kind: str) -> int:
        """How far such a block is indented below its key: the first one that there is."""
        for path, mark in sorted(self.marks.items(), key=lambda item: item[1].start):
            parent = self.marks.get(path[:-1]) if path and isinstance(path[-1], str) else None
            if parent and mark.kind == kind and not mark.flow and mark.line != mark.key_line:
                return mark.column - parent.column
        return 2 if kind == "mapping" else 0


def read(data: bytes | str, path: str, limits: Limits = WRITTEN) -> Document:
    """The one document of a file; an empty file holds None.

    Raises YamlError (with the line) for malformed YAML, a duplicate, empty or complex key, an
    unknown tag, a second document, or a text beyond the limits.
    """
    documents = read_all(data, path, limits)
    if len(documents) > 1:
        raise YamlError(
            "more than one YAML document",
            path=path,
            line=documents[1].line(()),
            hint="keep one document in this file; remove the '---' between them",
        )
    if documents:
        return documents[0]
    return Document(path, decoded(data, path, limits), None, MappingProxyType({}))


def read_all(data: bytes | str, path: str, limits: Limits = WRITTEN) -> list[Document]:
    """Every document of a file in which something is written; raises YamlError as `read` does."""
    text = decoded(data, path, limits)
    stream = events(text, path, limits)
    documents = []
    for event in stream:
        if isinstance(event, yaml.DocumentStartEvent):
            document = _Reader(stream, text, path).document()
            root = document.marks[()]
            if root.start < root.end:
                documents.append(document)
    return documents


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """The key (or list item) that a value belongs to; None before the value's own start."""

    line: int | None = None
    start: int | None = None
    end: int | None = None


class _Reader:
    """Builds one document from the events; recursion is bounded by the guard's depth."""

    def __init__(self, events: Iterator[Event], text: str, path: str) -> None:
        self._events = events
        self._text = text
        self._path = path
        # libyaml drops the byte order mark before it counts.
        self._shift = 1 if text.startswith(BOM) else 0
        self._marks: dict[Path, Mark] = {}
        self._anchors: dict[str, Any] = {}

    def document(self) -> Document:
        data = self._value(next(self._events), (), _Place())
        return Document(self._path, self._text, data, MappingProxyType(self._marks))

    def _value(self, event: Event, at: Path, place: _Place) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent:
            self._mark(event, event, at, place, "alias")
            return copied(self._anchors[event.anchor])
        if kind is yaml.ScalarEvent:
            value: Any = self._scalar(event)
            self._mark(event, event, at, place, "scalar")
        elif kind is yaml.MappingStartEvent:
            value = self._mapping(event, at, place)
        else:
            value = self._sequence(event, at, place)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _mark(self, start: Event, end: Event, at: Path, place: _Place, kind: str) -> None:
        mark = start.start_mark
        offset = mark.index + self._shift
        self._marks[at] = Mark(
            kind=kind,
            line=mark.line + 1,
            key_line=place.line or mark.line + 1,
            key_start=offset if place.start is None else place.start,
            key_end=offset if place.end is None else place.end,
            column=mark.column,
            start=offset,
            end=end.end_mark.index + self._shift,
            style=getattr(start, "style", None) or "",
            flow=bool(getattr(start, "flow_style", False)),
            shared=kind == "alias" or start.anchor is not None,
        )

    def _scalar(self, event: Event) -> str | None:
        text: str = event.value
        if event.tag in _STRING_TAGS or (event.tag is None and event.style):
            return text
        if event.tag is not None and event.tag not in _SCALAR_TAGS:
            raise self._unknown_tag(event)
        if text in scalars.NULLS:
            return None
        return Plain(text) if event.tag or scalars.is_plain(text) else text

    def _sequence(self, start: Event, at: Path, place: _Place) -> list[Any]:
        self._check_tag(start, "seq")
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                self._mark(start, event, at, place, "sequence")
                break
            items.append(self._value(event, (*at, len(items)), _Place()))
        return items

    def _mapping(self, start: Event, at: Path, place: _Place) -> dict[str, Any]:
        self._check_tag(start, "map")
        own: dict[str, Any] = {}
        merged: list[Mapping[str, Any]] = []
        seen: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                self._mark(start, event, at, place, "mapping")
                break
            key = self._key(event, seen)
            if key == MERGE and not event.style:
                merged = self._merge(event)
            else:
                own[key] = self._value(next(self._events), (*at, key), self._place(event))
        return joined(own, merged)

    def _place(self, key: Event) -> _Place:
        start, end = key.start_mark, key.end_mark
        return _Place(start.line + 1, start.index + self._shift, end.index + self._shift)

    def _key(self, event: Event, seen: dict[str, int]) -> str:
        kind = type(event)
        if kind is not yaml.ScalarEvent:
            raise self._error(
                event, "a key is a list, a mapping or an alias", "name it in plain text"
            )
        key = self._scalar(event)
        if key is None:
            if event.value == "":
                raise self._error(event, "a key is empty", "write a name before the ':'")
            key = Plain(event.value)
        if key in seen:
            raise self._duplicate(event, key, seen[key])
        seen[key] = event.start_mark.line + 1
        return key

    def _merge(self, key: Event) -> list[Mapping[str, Any]]:
        # Read beside the marks: what is merged has no place of its own.
        outer, self._marks = self._marks, {}
        try:
            value = self._value(next(self._events), (), _Place())
        finally:
            self._marks = outer
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self._error(key, "'<<' can only merge mappings", "give it an alias of a mapping")
        return sources

    def _check_tag(self, event: Event, name: str) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{name}"):
            raise self._unknown_tag(event)

    def _unknown_tag(self, event: Event) -> YamlError:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        return self._error(event, f"the tag {tag} is not supported", "remove the tag")

    def _duplicate(self, event: Event, key: str, first: int) -> YamlError:
        return self._error(
            event, f"the key {key} appears twice, first on line {first}", "keep one of the two"
        )

    def _error(self, event: Event, message: str, hint: str = "") -> YamlError:
        return YamlError(message, path=self._path, line=event.start_mark.line + 1, hint=hint)
