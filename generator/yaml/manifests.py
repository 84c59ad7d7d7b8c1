"""Rendered output, read as fast as the parser goes and exactly as Kubernetes reads it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from generator.core.layered import in_key_order
from generator.yaml import scalars
from generator.yaml.errors import YamlError
from generator.yaml.limits import (
    RENDERED,
    Event,
    Limits,
    copied,
    decoded,
    events,
    joined,
    raw_events,
)

_STRING_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_TOP = ("apiVersion", "kind", "metadata")
_METADATA = ("name", "namespace", "labels", "annotations")


def load_manifests(
    data: str | bytes,
    *,
    path: str = "",
    limits: Limits = RENDERED,
    trusted: bool = False,
    unique: bool = False,
) -> list[dict[str, Any]]:
    """Every mapping of a multi-document text; empty documents are left out.

    Scalars and keys become what sigs.k8s.io/yaml makes of them: `y` is true, `017` is 15, dates
    stay strings; of a repeated key the last wins, or with `unique` it is an error. `trusted` skips
    the guard and is for text that gen-env itself made. Raises YamlError for malformed or oversized
    text, and for a document that is not a mapping.
    """
    text = decoded(data, path, limits)
    give = raw_events(text, path) if trusted else events(text, path, limits)
    manifests = []
    for event in give:
        if type(event) is not yaml.DocumentStartEvent:
            continue
        value = _Reader(give, path, unique=unique).value(first := next(give))
        if value is None:
            continue
        if not isinstance(value, dict):
            raise YamlError(
                "a document is not a mapping",
                path=path,
                line=first.start_mark.line + 1,
                hint="every document must be one Kubernetes object",
            )
        manifests.append(value)
    return manifests


def canonical(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in the one order of keys: identity first, the rest sorted at every depth."""
    result = _first(in_key_order(manifest), _TOP)
    if isinstance(metadata := result.get("metadata"), dict):
        result["metadata"] = _first(metadata, _METADATA)
    return result


class _Reader:
    """Builds the value of one document from its events."""

    def __init__(self, events: Iterator[Event], path: str, *, unique: bool) -> None:
        self._events = events
        self._path = path
        self._unique = unique
        self._anchors: dict[str, Any] = {}

    def value(self, event: Event) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if kind is yaml.ScalarEvent:
            value: Any = _scalar(event)
        elif kind is yaml.MappingStartEvent:
            value = self._mapping()
        else:
            value = self._sequence()
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, event: Event) -> Any:
        if event.anchor not in self._anchors:
            raise self._error(event, f"the alias *{event.anchor} has no anchor before it")
        return copied(self._anchors[event.anchor])

    def _sequence(self) -> list[Any]:
        items = []
        for event in self._events:
            if type(event) is yaml.SequenceEndEvent:
                break
            items.append(self.value(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: list[Any] = []
        for event in self._events:
            kind = type(event)
            if kind is yaml.MappingEndEvent:
                break
            if kind is not yaml.ScalarEvent:
                raise self._error(event, "a key must be a scalar, not a list, mapping or alias")
            value = self.value(next(self._events))
            if event.value == "<<" and not event.style:
                merged += self._sources(event, value)
            else:
                key = event.value if event.style else _key(event.value)
                if self._unique and key in own:
                    raise self._error(event, f"the key {key} appears twice")
                own[key] = value
        return joined(own, merged) if merged else own

    def _sources(self, key: Event, value: Any) -> list[Any]:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self._error(key, "'<<' can only merge mappings")
        return sources

    def _error(self, event: Event, message: str) -> YamlError:
        return YamlError(message, path=self._path, line=event.start_mark.line + 1)


def _scalar(event: Event) -> scalars.Scalar:
    if (event.style and event.tag is None) or event.tag in _STRING_TAGS:
        text: str = event.value
        return text
    return _resolved(event.value)


_resolved = functools.lru_cache(maxsize=4096)(scalars.helm)


@functools.lru_cache(maxsize=4096)
def _key(text: str) -> str:
    return scalars.helm_key(text)


def _first(mapping: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping} | mapping
