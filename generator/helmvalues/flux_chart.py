"""The chart of a Flux HelmRelease, and the source (HelmRepository, ...) that it comes from."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generator.core.basis import NotRead, Origin, Version
from generator.core.errors import UserError
from generator.core.files import Files
from generator.git.clone import Clone
from generator.helmvalues import fields, flux_release, objects, placeholders
from generator.helmvalues.chart_kind import publisher
from generator.helmvalues.dependency import CHART, EXACT, Parent, not_exact, parent
from generator.helmvalues.found import ADDRESS, Borrowed
from generator.kube.fields import section
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document

KINDS = ("HelmRepository", "HelmChart", "OCIRepository", "GitRepository", "Bucket")
# Flux takes the first of these that is there (fluxcd.io/flux/components/source/gitrepositories).
_REVISIONS = ("commit", "name", "semver", "tag", "branch")
_NOT_FOUND = "its address is not in this file, nor once in this repository: its chart is not known"


@dataclasses.dataclass(frozen=True, slots=True)
class FluxChart:
    """The chart as far as it is known, what is not read, and its sources in other files."""

    parent: Parent | None
    not_read: tuple[NotRead, ...] = ()
    sources: tuple[Document, ...] = ()
    borrowed: tuple[Borrowed, ...] = ()


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where the sources of a HelmRelease are looked for: its own file, then those of the clone."""

    files: Files
    release: Document
    documents: Sequence[Document]
    clone: Clone | None = None

    def find(self, reference: Mapping[str, Any]) -> Document | None:
        """The object that a reference names; None where several in other files have its name."""
        found = self._named(self.documents, reference)
        if not found and self.clone and reference.get("kind") in KINDS:
            found = [
                document
                for path in self.clone.containing(reference["kind"], str(reference.get("name")))
                for document in self._named(_readable(self.files, path), reference)
            ]
        same = all(section(item.data, "spec") == section(found[0].data, "spec") for item in found)
        return found[0] if found and same else None

    def _named(self, documents: Iterable[Document], reference: Mapping[str, Any]) -> list[Document]:
        own = section(self.release.data, "metadata").get("namespace")
        namespace = reference.get("namespace") or own
        wanted = (str(reference.get("kind")), str(reference.get("name")))
        found = []
        for document in documents:
            data, metadata = section(document.data), section(document.data, "metadata")
            same = (str(data.get("kind")), str(metadata.get("name"))) == wanted
            if same and flux_release.same_namespace(metadata.get("namespace"), namespace):
                found.append(document)
        return found


def _readable(files: Files, path: str) -> list[Document]:
    try:
        return objects.read(files.read(path) or b"", path)
    except (UserError, YamlError):
        return []


def chart_of(sources: Sources) -> FluxChart:
    """The chart of a HelmRelease: by `chart`, or by the object that `chartRef` names."""
    spec = section(sources.release.data, "spec")
    where = fields.where(sources.release, ("spec",))
    reference = section(spec, "chartRef")
    if not reference:
        return _by_template(sources, section(spec, "chart", "spec"), where)
    found = sources.find(reference)
    kind = str(reference.get("kind"))
    if found is None:
        title = f"chartRef {kind} {reference.get('name')}"
        return FluxChart(None, (NotRead(title, where, _NOT_FOUND),))
    data = section(found.data, "spec")
    unread = tuple(fields.unread(found, data, fields.FLUX_SOURCES.get(kind, {}), ("spec",)))
    if kind == "OCIRepository":
        chart = _of_registry(sources.release, data, where)
    else:
        chart = _by_template(sources, data, where)
    return dataclasses.replace(
        chart,
        not_read=(*unread, *chart.not_read),
        sources=(*_outside(sources, found), *chart.sources),
    )


def _outside(sources: Sources, found: Document) -> tuple[Document, ...]:
    return () if found.path == sources.release.path else (found,)


def _of_registry(release: Document, source: Mapping[str, Any], where: str) -> FluxChart:
    """The chart of an OCIRepository: digest before semver before tag."""
    ref, address = section(source, "ref"), str(source.get("url") or "")
    version = str(ref.get("digest") or ref.get("semver") or ref.get("tag") or "")
    return _released(release, address, address, version, where)


def _by_template(sources: Sources, chart: Mapping[str, Any], where: str) -> FluxChart:
    """The chart that `spec.chart.spec`, or a HelmChart, names in a repository."""
    reference, name = section(chart, "sourceRef"), str(chart.get("chart") or "")
    found = sources.find(reference)
    source = section(found and found.data, "spec")
    address, version = str(source.get("url") or ""), str(chart.get("version") or "")
    title = f"{ADDRESS}{reference.get('kind')} {reference.get('name')}"
    unknown = () if address else (NotRead(title, where, _NOT_FOUND, _SAY),)
    outside = _outside(sources, found) if found else ()
    if reference.get("kind") in ("GitRepository", "Bucket"):
        folder = parent(sources.files, posixpath.normpath(name))
        if folder is None:
            reason = "its Chart.yaml is not in this repository"
            return FluxChart(None, (NotRead(f"chart of path {name}", where, reason),), outside)
        borrowed = (_borrowed(name, source, where),) if address else ()
        return FluxChart(folder, unknown, outside, borrowed)
    chart_found = _released(sources.release, name, address, version, where)
    return dataclasses.replace(
        chart_found, not_read=(*unknown, *chart_found.not_read), sources=outside
    )


_SAY = "give it in the same file, after the HelmRelease"


def _borrowed(folder: str, source: Mapping[str, Any], where: str) -> Borrowed:
    """The chart's folder, read here in place of what the GitRepository gives."""
    ref = section(source, "ref")
    key = next((key for key in _REVISIONS if ref.get(key)), "")
    revision = str(ref[key]) if key else "master"
    return Borrowed(
        f"chart of path {folder}", posixpath.normpath(folder), str(source.get("url") or ""),
        revision, where,
    )  # fmt: skip


def _released(release: Document, name: str, address: str, version: str, where: str) -> FluxChart:
    """A chart of a Helm repository or registry, by its name, address and version."""
    exact = version.removeprefix("v") if EXACT.fullmatch(version) else ""
    official = name.rstrip("/").rpartition("/")[2] == CHART
    unknown = [] if exact else [NotRead("chart version", where, not_exact(version))]
    for _, text in placeholders.places({"url": address}, "HelmRelease"):
        reason = f"another program fills in {text} of it: which chart it gives is not known"
        unknown.append(NotRead(f"{ADDRESS}the chart", where, reason))
    found = Parent(
        release.path,
        "",
        publisher(f"{address}/{name}") if official else "other",
        Version(exact, Origin.NAMED) if exact else Version(),
        range="" if exact else version or "*",
        address=address,
    )
    return FluxChart(found, tuple(unknown))
