"""The files that adoption would write, as their engine reads them: half of the second reading."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from collections.abc import Iterator, Mapping

from generator.adoption.helm_yaml import loads
from generator.adoption.raw_release import (
    Data,
    Release,
    address_of,
    as_map,
    exact,
    parameters,
    repository,
)

_RELEASE = "generated/release/release.yaml"


def tree(writes: Mapping[str, str], folder: str) -> Release:
    """The release that the written tree gives the cluster: its Application, or its HelmRelease and
    kustomization.yaml, and what those name.

    `folder` is the environment's; Argo CD's paths may have a prefix that the repository adds.
    """
    if f"{folder}/{_RELEASE}" in writes:
        return _of_flux(writes, folder)
    data = loads(writes[f"{folder}/generated/application.yaml"])[0]
    spec = as_map(data.get("spec"))
    objects: list[Data] = []
    side = Release("", str(as_map(spec.get("destination")).get("namespace")), has_chart=False)
    for source in map(as_map, spec.get("sources") or [spec.get("source")]):
        helm = as_map(source.get("helm"))
        if helm:
            texts = [_written(writes, str(name)) for name in helm.get("valueFiles") or ()]
            inline = helm.get("valuesObject")
            texts += [json.dumps(inline) if inline else str(helm.get("values") or "")]
            side = dataclasses.replace(
                side,
                name=str(helm.get("releaseName") or as_map(data.get("metadata")).get("name")),
                version=exact(source.get("targetRevision")) if source.get("chart") else "",
                texts=tuple(text for text in texts if text),
                parameters=tuple(parameters(helm.get("parameters"))),
                has_chart=True,
                repository=repository(source),
            )
        elif source.get("path"):
            objects += _objects(writes, str(source["path"]))
    return dataclasses.replace(side, objects=tuple(objects), application=data)


def _of_flux(writes: Mapping[str, str], folder: str) -> Release:
    documents = [as_map(item) for item in loads(writes[f"{folder}/{_RELEASE}"])]
    data = next(item for item in documents if item.get("kind") == "HelmRelease")
    sources = [item for item in documents if item is not data]
    spec = as_map(data.get("spec"))
    chart = as_map(as_map(spec.get("chart")).get("spec"))
    made = as_map(as_map(sources[0]).get("spec")) if sources else {}
    tag = as_map(made.get("ref")).get("tag") if spec.get("chartRef") else None
    address = address_of(str(made.get("url") or ""))
    return Release(
        str(spec.get("releaseName")),
        str(spec.get("targetNamespace")),
        exact(tag or chart.get("version")),
        tuple(_values_of_flux(writes, folder, spec)),
        repository=address.removesuffix("/airflow") if tag else address,
        objects=tuple(_applied_by_flux(writes, folder)),
        application=data,
    )


def _values_of_flux(writes: Mapping[str, str], folder: str, spec: Data) -> Iterator[str]:
    place = posixpath.dirname(f"{folder}/{_RELEASE}")
    own = as_map(loads(writes[f"{place}/kustomization.yaml"])[0])
    made = {item["name"]: item["files"] for item in own.get("configMapGenerator") or ()}
    for row in spec.get("valuesFrom") or ():
        files = dict(str(item).split("=", 1) for item in made[row["name"]])
        yield writes[posixpath.normpath(f"{place}/{files[row['valuesKey']]}")]
    if spec.get("values"):
        yield json.dumps(spec["values"])


def _applied_by_flux(writes: Mapping[str, str], folder: str) -> Iterator[Data]:
    for part in ("prerequisites", "release"):
        place = f"{folder}/generated/{part}"
        own = as_map(next(iter(loads(writes.get(f"{place}/kustomization.yaml", ""))), None))
        for name in own.get("resources") or ():
            path = posixpath.normpath(f"{place}/{name}")
            if path != f"{folder}/{_RELEASE}":
                yield from (item for item in loads(writes[path]) if isinstance(item, Mapping))


def _written(writes: Mapping[str, str], name: str) -> str:
    path = re.sub(r"^\$[^/]+", "", name)
    return next(text for place, text in writes.items() if path.endswith(f"/{place}"))


def _objects(writes: Mapping[str, str], folder: str) -> Iterator[Data]:
    for place, text in writes.items():
        if f"/{folder}".endswith(f"/{posixpath.dirname(place)}") and place.endswith(".yaml"):
            yield from (item for item in loads(text) if isinstance(item, Mapping))
