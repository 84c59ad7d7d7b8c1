"""`valuesFrom` of a Flux HelmRelease: ConfigMaps (and Secrets) that hold values as text."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from generator.core.basis import NotRead
from generator.core.files import Files
from generator.helmvalues import objects
from generator.helmvalues.layers import NotAMapping, ValuesLayer, from_text
from generator.kube.fields import section
from generator.yaml.reader import Document


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One entry; `target` is where a single value goes, instead of a whole mapping."""

    kind: str
    name: str
    key: str
    target: str


def rows(document: Document) -> list[Row]:
    """The entries of one HelmRelease, lowest first."""
    listed = section(document.data, "spec").get("valuesFrom")
    return [
        Row(
            str(row.get("kind")),
            str(row.get("name")),
            str(row.get("valuesKey") or "values.yaml"),
            str(row.get("targetPath") or ""),
        )
        for row in map(section, listed if isinstance(listed, list) else ())
    ]


def rows_of(files: Files, path: str) -> list[Row]:
    """The entries of the first HelmRelease in a file; none for a file without one."""
    documents = objects.read(files.read(path) or b"", path)
    found = (item for item in documents if section(item.data).get("kind") == "HelmRelease")
    first = next(found, None)
    return rows(first) if first else []


def shortened(name: str) -> str:
    """A release name as Flux gives it to Helm, which takes 53 characters (`ShortenReleaseName`)."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return name if len(name) <= 53 else f"{name[:40]}-{digest[:12]}"


def same_namespace(one: Any, two: Any) -> bool:
    """Whether two objects may be in one namespace: one without a namespace gets the other's."""
    return not one or not two or one == two


def layers(
    wanted: Sequence[Row], documents: Sequence[Document], namespace: Any = None
) -> list[ValuesLayer] | None:
    """Their values from the ConfigMaps among these documents; None unless all of them are there.

    Raises YamlError for text that is no YAML.
    """
    found = []
    for row in wanted:
        layer = None if row.target else _layer(row, documents, namespace)
        if layer is None:
            return None
        found.append(layer)
    return found


def _layer(row: Row, documents: Sequence[Document], namespace: Any) -> ValuesLayer | None:
    for document in documents:
        data = section(document.data)
        metadata = section(data, "metadata")
        named = (data.get("kind"), row.kind, metadata.get("name"))
        if named != ("ConfigMap", "ConfigMap", row.name):
            continue
        if not same_namespace(metadata.get("namespace"), namespace):
            continue
        if isinstance(section(data, "data").get(row.key), str):
            try:
                return from_text(document, ("data", row.key))
            except NotAMapping:
                return None
    return None


def elsewhere(found: Sequence[Row], where: str) -> Iterator[NotRead]:
    """What cannot be read from here."""
    for row in found:
        yield NotRead(
            f"values of {row.kind} {row.name}",
            where,
            "valuesFrom is read by Flux only",
            "check the file that it is made from as well",
        )
