"""A Kustomization: what it changes of a file beside it, and the charts that it renders itself."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.basis import NotRead
from generator.core.files import Files
from generator.core.layered import dotted
from generator.helmvalues import fields
from generator.kube.fields import entries, section
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document, read_all

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

# Fields that change none of the objects listed as resources (kubectl.docs.kubernetes.io, the
# Kustomization file). Generators add objects of their own.
_HARMLESS = frozenset(
    {
        *("apiVersion", "kind", "metadata", "resources", "bases", "crds", "openapi", "sortOptions"),
        *("configMapGenerator", "secretGenerator", "generatorOptions", "buildMetadata"),
        *("helmCharts", "helmGlobals", "validators"),
    }
)


def changes(files: Files, path: str) -> Iterator[NotRead]:
    """What a Kustomization in the same folder does to this file before it reaches the cluster."""
    found = beside(files, path)
    if found is None:
        return
    data = found.data if isinstance(found.data, Mapping) else {}
    listed = [str(item) for key in ("resources", "bases") for item in data.get(key) or ()]
    name = posixpath.basename(path)
    if name not in {posixpath.normpath(item) for item in listed}:
        return
    for key, value in data.items():
        if key not in _HARMLESS and value:
            where = fields.where(found, (str(key),))
            yield NotRead(f"{key} of the Kustomization", where, f"it may change {name}")


def renders(files: Files, path: str) -> tuple[Mapping[str, Any], tuple[NotRead, ...]]:
    """The chart that a Kustomization in the folder renders with this values file, {} for none."""
    found = beside(files, path)
    for index, chart in enumerate(entries(section(found and found.data).get("helmCharts"))):
        more = chart.get("additionalValuesFiles")
        named = [chart.get("valuesFile"), *(more if isinstance(more, list) else ())]
        if posixpath.basename(path) in {posixpath.normpath(str(item)) for item in named if item}:
            place = ("helmCharts", index)
            reason = "Kustomize renders the chart with this file: what else it gives is not read"
            where = fields.where(found, place) if found else ""
            return chart, (NotRead(f"{dotted(place)} of the Kustomization", where, reason),)
    return {}, ()


def beside(files: Files, path: str) -> Document | None:
    """The Kustomization in the folder of a file; None for none and for one that is no YAML."""
    folder = posixpath.dirname(path)
    for name in NAMES:
        place = posixpath.join(folder, name)
        content = files.read(place)
        if content is not None and place != path:
            try:
                documents = read_all(content, place)
            except YamlError:
                return None
            return documents[0] if documents else None
    return None
