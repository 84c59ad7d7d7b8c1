"""What `flux bootstrap` left in a repository: which folder the Flux of which cluster applies."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.core.errors import UserError
from generator.kube.fields import name_of, section, text
from generator.kube.resource import Object
from generator.yaml.manifests import load_manifests

_SYNC = "gotk-sync.yaml"
"""The file in which `flux bootstrap` writes source and Kustomization (fluxcd.io, bootstrap)."""


@dataclasses.dataclass(frozen=True, slots=True)
class FluxBootstrap:
    """One cluster: `path` is the folder that its Flux applies, with {cluster} for its name."""

    cluster: str
    path: str
    namespace: str
    source: str
    url: str
    branch: str

    @property
    def answers(self) -> dict[str, str]:
        """What the template of a repository asks about Flux."""
        return {
            "flux_namespace": self.namespace,
            "flux_source": self.source,
            "flux_path": self.path,
        }


def of(folder: Path, cluster: str | None) -> FluxBootstrap | None:
    """That of a cluster, or the only one; raises UserError for several where none is named."""
    named = [item for item in read(folder) if cluster in (None, item.cluster)]
    if len(named) > 1:
        clusters = ", ".join(item.cluster for item in named)
        raise UserError(
            f"flux bootstrap set up several clusters here: {clusters}",
            hint="give the first with --cluster, and write the others into gen-env.yaml",
        )
    return named[0] if named else None


def read(folder: Path) -> list[FluxBootstrap]:
    """Those of a repository's folder, by cluster.

    Raises UserError for a file that does not parse. A Kustomization of another folder than the one
    that its file is in is left out: `flux bootstrap` writes none.
    """
    files = (path for path in sorted(folder.rglob(_SYNC)) if path.is_file())
    found = (item for path in files for item in _read(folder, path))
    return sorted(found, key=lambda item: item.cluster)


def _read(folder: Path, path: Path) -> Iterator[FluxBootstrap]:
    where = path.relative_to(folder)
    objects = load_manifests(path.read_bytes(), path=where.as_posix())
    applied = where.parent.parent
    for item in objects:
        source = _source(objects, text(item, "spec", "sourceRef", "name"))
        place = posixpath.normpath(text(item, "spec", "path") or ".")
        if item.get("kind") != "Kustomization" or source is None or not applied.name:
            continue
        if not f"/{place}".endswith(f"/{applied.as_posix()}"):
            continue
        yield FluxBootstrap(
            cluster=applied.name,
            path=(applied.parent / "{cluster}").as_posix(),
            namespace=text(source, "metadata", "namespace"),
            source=name_of(source),
            url=text(source, "spec", "url"),
            branch=str(section(source, "spec", "ref").get("branch") or ""),
        )


def _source(objects: Iterable[Object], name: str) -> Object | None:
    sources = (item for item in objects if item.get("kind") == "GitRepository")
    return next((item for item in sources if name_of(item) == name), None)
