"""What a chart rendered, as the objects that would reach the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.chart.chart import ChartArchive
from generator.kube.resource import ordered
from generator.render import helm_notes
from generator.render.failure import plain
from generator.render.request import Rendered, RenderFailure, RenderRequest, RenderResult

_HOOK = "helm.sh/hook"
# helm.sh/helm/v4/pkg/release/v1/util/manifest_sorter.go: an object with any other event is left
# out by Helm itself.
_TESTS = frozenset({"test", "test-success"})
_EVENTS = _TESTS | {
    f"{when}-{what}"
    for when in ("pre", "post")
    for what in ("install", "delete", "upgrade", "rollback")
}

Document = tuple[str, dict[str, Any]]
"""The template that an object came from, and the object."""


def result(
    documents: Iterable[Document],
    notes: str,
    request: RenderRequest,
    chart: ChartArchive,
    engine: str,
) -> Rendered:
    """The result, or a failure that names the first template whose output is no object."""
    manifests = []
    for template, document in _objects(documents):
        if document.get("kind") == helm_notes.KIND:
            notes = str(document.get("text", ""))
        elif not _is_object(document):
            return _no_object(template)
        elif _is_wanted(document):
            manifests.append(document)
    return RenderResult(
        manifests=tuple(dict(manifest) for manifest in ordered(manifests)),
        notes=notes,
        problems=helm_notes.warnings(notes, request.values, chart.text(helm_notes.NOTES)),
        engine=engine,
    )


def _objects(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents; a `v1/List` counts as what it holds, as it does for kubectl and Argo CD."""
    for template, document in documents:
        items = document.get("items")
        if document.get("apiVersion") == "v1" and document.get("kind") == "List":
            yield from ((template, item) for item in items or [] if isinstance(item, dict))
        elif document:
            yield template, document


def _is_object(document: Mapping[str, Any]) -> bool:
    metadata = document.get("metadata")
    named = isinstance(metadata, Mapping) and (metadata.get("name") or metadata.get("generateName"))
    return bool(
        named
        and isinstance(document.get("kind"), str)
        and isinstance(document.get("apiVersion"), str)
    )


def _no_object(template: str) -> RenderFailure:
    failure = plain(
        "yaml",
        "a document in the output is not a Kubernetes object: it lacks apiVersion, kind or name",
        hint="see which of your values the template puts into its output as text",
    )
    return RenderFailure(failure.kind, failure.message, template=template, hint=failure.hint)


def _is_wanted(document: Mapping[str, Any]) -> bool:
    annotations = document["metadata"].get("annotations") or {}
    hook = annotations.get(_HOOK) if isinstance(annotations, Mapping) else None
    if hook is None:
        return True
    events = {event.strip().lower() for event in str(hook).split(",")}
    return events <= _EVENTS and not events & _TESTS
