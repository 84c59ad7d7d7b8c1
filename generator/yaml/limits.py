"""The gate in front of every YAML text that we did not write ourselves.

PyYAML's C composer recurses: 400 KB of `[` end the process, a few aliases of aliases never end.
The parser's events carry the same facts without recursion, so they are counted first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from generator.yaml.errors import YamlError, from_parser

BOM = "\ufeff"
Event = Any
"""One of PyYAML's events; the stubs call every mark optional, the parser always sets them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much one text may hold; `expanded` counts nodes with every alias written out."""

    size: int = 1 << 20
    depth: int = 100
    nodes: int = 200_000
    expanded: int = 500_000


WRITTEN = Limits()
"""For files that people write."""

RENDERED = Limits(size=64 << 20, nodes=2_000_000, expanded=4_000_000)
"""For what a chart renders to."""


def decoded(data: bytes | str, path: str, limits: Limits = WRITTEN) -> str:
    """The text of a file as it stands, byte order mark included; refuses big and non-UTF-8 ones."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > limits.size:
        raise YamlError(
            f"the file is larger than {limits.size:,} bytes",
            path=path,
            hint="split it, or move large data out of it",
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(
            f"not UTF-8: byte {error.start} cannot be read",
            path=path,
            line=raw.count(b"\n", 0, error.start) + 1,
            hint="save the file as UTF-8",
        ) from None


def checked(data: bytes | str, path: str, limits: Limits = WRITTEN) -> str:
    """The text, once it is known to be well-formed YAML within the limits; raises YamlError."""
    text = decoded(data, path, limits)
    for _ in events(text, path, limits):
        pass
    return text


def events(text: str, path: str, limits: Limits = WRITTEN) -> Iterator[Event]:
    """The parser's events, each given out only after it was counted; raises YamlError."""
    count = _Count(path, limits)
    for event in raw_events(text, path):
        count.add(event)
        yield event


def raw_events(text: str, path: str) -> Iterator[Event]:
    """The parser's events without any limit: only for text that is our own."""
    body = text.removeprefix(BOM)
    loader = yaml.CSafeLoader(body)
    try:
        while (event := loader.get_event()) is not None:
            yield event
    except yaml.YAMLError as error:
        raise from_parser(error, body, path) from None
    finally:
        loader.dispose()


class _Count:
    """Depth, nodes and expanded nodes of the document being read."""

    def __init__(self, path: str, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._nodes = 0
        self._total = 0
        self._open: list[tuple[str | None, int]] = []
        self._sizes: dict[str, int] = {}

    def add(self, event: Event) -> None:
        if type(event) is yaml.ScalarEvent:  # most are
            self._grow(event, 1)
            if event.anchor is not None:
                self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            self._enter(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            if anchor is not None:
                self._sizes[anchor] = self._total - before
        elif isinstance(event, yaml.AliasEvent):
            self._grow(event, self._size_of(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._sizes.clear()

    def _enter(self, event: Event) -> None:
        self._open.append((event.anchor, self._total))
        if event.anchor is not None:
            self._sizes.pop(event.anchor, None)
        if len(self._open) > self._limits.depth:
            raise self._refusal(event, f"nested deeper than {self._limits.depth} levels")
        self._grow(event, 1)

    def _grow(self, event: Event, expanded: int) -> None:
        self._nodes += 1
        self._total += expanded
        if self._nodes > self._limits.nodes:
            raise self._refusal(event, f"more than {self._limits.nodes:,} values in one file")
        if self._total > self._limits.expanded:
            raise self._refusal(
                event, f"aliases expand to more than {self._limits.expanded:,} values"
            )

    def _size_of(self, event: Event) -> int:
        name = event.anchor
        if any(name == anchor for anchor, _ in self._open):
            raise self._refusal(event, f"the alias *{name} refers to a value that contains it")
        if name not in self._sizes:
            raise self._refusal(
                event, f"the alias *{name} has no anchor &{name} before it", "define it, or quote *"
            )
        return self._sizes[name]

    def _refusal(self, event: Event, message: str, hint: str = "simplify it") -> YamlError:
        return YamlError(message, path=self._path, line=event.start_mark.line + 1, hint=hint)


def joined(own: dict[str, Any], merged: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is merged comes first in order and last in force; the first of several wins."""
    result: dict[str, Any] = {}
    for source in merged:
        for key, value in source.items():
            result.setdefault(key, value)
    result.update(own)
    return result


def copied(value: Any) -> Any:
    """A copy of mappings and lists at any depth: an alias must not share what can be changed."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
