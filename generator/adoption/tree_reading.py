"""The files that adoption would write, read as Argo CD reads them: half of the second reading."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from collections.abc import Iterator, Mapping

from generator.adoption.helm_yaml import loads
from generator.adoption.raw_release import Data, Release, as_map, exact, parameters, repository


def tree(writes: Mapping[str, str], folder: str) -> Release:
    """The release that the written tree gives the cluster: its Application and what that names.

    `folder` is the environment's; Argo CD's paths may have a prefix that the repository adds.
    """
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


def _written(writes: Mapping[str, str], name: str) -> str:
    path = re.sub(r"^\$[^/]+", "", name)
    return next(text for place, text in writes.items() if path.endswith(f"/{place}"))


def _objects(writes: Mapping[str, str], folder: str) -> Iterator[Data]:
    for place, text in writes.items():
        if f"/{folder}".endswith(f"/{posixpath.dirname(place)}") and place.endswith(".yaml"):
            yield from (item for item in loads(text) if isinstance(item, Mapping))
