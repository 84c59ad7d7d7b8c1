"""The objects that a file holds: its documents, and the items of a List."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from types import MappingProxyType

from generator.core.layered import Path
from generator.kube.fields import section
from generator.yaml.reader import Document, Mark, read_all

_LIST = "List"


def read(content: bytes | str, path: str) -> list[Document]:
    """Every document of a file, a List as its items; raises YamlError for what is not YAML.

    kubectl, Argo CD and Flux take `kind: List`, and `HelmReleaseList`, for what is in it.
    """
    return [item for document in read_all(content, path) for item in _items(document)]


def _items(document: Document) -> Iterator[Document]:
    data = section(document.data)
    kind, items = str(data.get("kind") or ""), data.get("items")
    if not kind.endswith(_LIST) or not isinstance(items, list) or not items:
        yield document
        return
    marks: dict[object, dict[Path, Mark]] = collections.defaultdict(dict)
    for path, mark in document.marks.items():
        if path[:1] == ("items",) and len(path) > 1:
            marks[path[1]][path[2:]] = mark
    # The API server leaves them out in a list of one kind.
    known = {} if kind == _LIST else {"apiVersion": data.get("apiVersion"), "kind": kind[:-4]}
    for index, item in enumerate(items):
        whole = {**known, **item} if isinstance(item, dict) else item
        inside = MappingProxyType(marks[index])
        yield from _items(dataclasses.replace(document, data=whole, marks=inside))
