"""An ApplicationSet whose elements stand in the file itself: the list generator alone."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import lookup
from generator.kube.fields import section
from generator.yaml.reader import Document
from generator.yaml.scalars import as_helm

_PLAIN = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_GO = re.compile(r"\{\{\s*\.(\w+(?:\.\w+)*)\s*\}\}")
_MOST = 500


class _NotKnown(Exception):
    """A placeholder that no element fills in, or another way to write one."""


def expanded(document: Document) -> list[Document]:
    """The set once for each element, its template filled in; as it is where that is not certain.

    Another generator, a generator's own template, a function or a condition, and an element that
    is no plain text leave it to the placeholders.
    """
    spec = section(document.data, "spec")
    pattern = _GO if str(spec.get("goTemplate")).lower() == "true" else _PLAIN
    try:
        elements = list(_elements(spec.get("generators")))[: _MOST + 1]
        templates = [_filled(spec.get("template"), pattern, item) for item in elements]
    except _NotKnown:
        return [document]
    if not 0 < len(templates) <= _MOST:
        return [document]
    return [
        dataclasses.replace(document, data={**document.data, "spec": {**spec, "template": one}})
        for one in templates
    ]


def _elements(generators: Any) -> Iterator[Mapping[str, Any]]:
    for row in generators if isinstance(generators, list) else ():
        elements = section(row, "list").get("elements")
        keys = set(row), set(section(row, "list"))
        if keys != ({"list"}, {"elements"}) or not isinstance(elements, list):
            raise _NotKnown
        yield from map(section, elements)


def _filled(node: Any, pattern: re.Pattern[str], element: Mapping[str, Any]) -> Any:
    if isinstance(node, Mapping):
        return {
            _filled(key, pattern, element): _filled(item, pattern, element)
            for key, item in node.items()
        }
    if isinstance(node, list):
        return [_filled(item, pattern, element) for item in node]
    if not isinstance(node, str) or "{{" not in node:
        return node
    text = pattern.sub(lambda match: _text(element, match[1]), node)
    if "{{" in text:
        raise _NotKnown
    return text


def _text(element: Mapping[str, Any], key: str) -> str:
    value, _ = as_helm(lookup(element, key))
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1_000_000
    if not (isinstance(value, str) or whole) or "\n" in str(value):
        raise _NotKnown
    return str(value)
