"""What people already have: values files, Argo CD Applications and Flux HelmReleases as values."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.core.basis import NotRead, Origin, Version
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem
from generator.git.clone import Clone
from generator.helmvalues import (
    application_set,
    fields,
    flux_chart,
    flux_release,
    helm_release,
    kustomization,
    objects,
    placeholders,
)
from generator.helmvalues.argocd_application import SCHEMA_SKIPPED, application
from generator.helmvalues.chart_kind import publisher
from generator.helmvalues.dependency import CHART, EXACT, Parent, parent
from generator.helmvalues.found import (
    NO_VALUES,
    Borrowed,
    ValuesSource,
    judged,
    no_mapping,
    second_document,
)
from generator.helmvalues.layers import NotAMapping, ValuesLayer, from_document
from generator.helmvalues.values import Engine
from generator.kube.fields import entries, section
from generator.yaml.reader import Document
from generator.yaml.scalars import as_helm

_GROUPS = {
    "Application": "argoproj.io",
    "ApplicationSet": "argoproj.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
}


def load(files: Files, path: str, clone: Clone | None = None) -> list[ValuesSource]:
    """Every release of Airflow's chart that a file describes; a plain values file is one.

    Objects that are not of Airflow's chart are left alone. Raises YamlError for what is not YAML
    and UserError for a file that is not there. What cannot be read from here (Secrets, other
    repositories, URLs, a Kustomization's patches) is named in `not_read`, and so is what `clone`,
    the one that the files are from, has in another repository or at another revision. Without it
    nobody compares what is `borrowed`.
    """
    documents = _documents(files, path)
    found = [
        dataclasses.replace(item, deployers=(*_deployers(document), *item.deployers))
        for document in documents
        for item in _release(files, document, documents, clone)
    ]
    if found:
        changed = tuple(kustomization.changes(files, path))
        return [
            _with_not_read(item, (*changed, *_compared(item.borrowed, clone))) for item in found
        ]
    if documents and not found and all("kind" not in section(item.data) for item in documents):
        return [_plain(files, documents)]
    problem = _no_values(path, _held(documents))
    return [ValuesSource(path, "values", {}, (), usable=False, problems=(problem,))]


def other_objects(files: Files, path: str) -> list[dict[str, Any]]:
    """The objects of a file beside the releases of Airflow's chart that it describes."""
    documents = _documents(files, path) if files.read(path) is not None else []
    rest = [item for item in documents if not any(_release(files, item, documents, None))]
    found = []
    for number, document in enumerate(rest if len(rest) < len(documents) else (), 1):
        data, _ = as_helm(document.data)
        if {"apiVersion", "kind"} <= set(section(data)):
            metadata = {"name": f"document-{number}", **section(data, "metadata")}
            found.append({**data, "metadata": metadata})
    return found


_DEPLOYERS = frozenset({*_GROUPS, *flux_chart.KINDS})
# Where the kinds carry values: their effect shows in the rendered objects.
_INLINE = {"helm": ("values", "valuesObject", "parameters"), "spec": ("values",)}


def _compared(borrowed: Sequence[Borrowed], clone: Clone | None) -> Iterator[NotRead]:
    """What was read here and may be another file where the release takes it from."""
    for item in dict.fromkeys(borrowed if clone else ()):
        assert clone is not None
        if reason := clone.differs(item.path, item.address, item.revision):
            yield NotRead(item.what, item.where, reason, _ELSEWHERE)


_ELSEWHERE = "check it in a clone of that repository, at that revision"


def _deployers(*documents: Document) -> tuple[Mapping[str, Any], ...]:
    """The objects that deploy a release, without the values that they carry."""
    data = [as_helm(document.data)[0] for document in documents]
    return tuple(_without_values(item) for item in data if section(item).get("kind") in _DEPLOYERS)


def _without_values(node: Any, key: str = "") -> Any:
    if isinstance(node, Mapping):
        left_out = _INLINE.get(key, ())
        return {
            name: _without_values(item, str(name))
            for name, item in node.items()
            if name not in left_out
        }
    return [_without_values(item, key) for item in node] if isinstance(node, list) else node


def _held(documents: Sequence[Document]) -> str:
    kinds = sorted({str(section(document.data).get("kind")) for document in documents})
    if not documents:
        return "the file is empty"
    listed = ", ".join(kinds)
    if any(kind in _GROUPS for kind in kinds):
        return f"none of its objects ({listed}) names Airflow's chart"
    return f"the file holds {listed}"


def _with_not_read(source: ValuesSource, more: tuple[NotRead, ...]) -> ValuesSource:
    """The source, with the placeholders in its values and more that was not read.

    Those in the names of release and namespace have a stand-in: without one nothing renders.
    """
    filled = []
    for place, text in placeholders.places(source.values, source.kind):
        path, line = source.locate(place)
        where = f"{path}:{line}" if line else path
        reason = "another program fills it in; a placeholder value was checked"
        filled.append(NotRead(f"placeholder {text}", where, reason))
    names = {"release": source.release, "namespace": source.namespace}
    for place, text in placeholders.places(names, source.kind):
        reason = "another program fills it in; a stand-in was checked"
        filled.append(NotRead(f"placeholder {text} in the {place[0]}", source.path, reason))
    names = placeholders.filled(names, {}, source.kind)
    not_read = (*source.not_read, *filled, *more)
    return dataclasses.replace(source, not_read=not_read, **names)


def _no_values(path: str, what: str) -> Problem:
    return NO_VALUES.problem(
        f"no Airflow values here: {what}",
        path=path,
        hint="give a values file, an Argo CD Application, a Flux HelmRelease, or Helm's record"
        " of a release (the Secret sh.helm.release.v1.NAME.vN)",
    )


def load_together(files: Files, paths: Sequence[str]) -> ValuesSource:
    """Several plain values files as one release, the last one winning, as `helm -f a -f b`."""
    return _plain(files, [document for path in paths for document in _documents(files, path)])


def _plain(files: Files, documents: Sequence[Document]) -> ValuesSource:
    """The values of documents, lowest first; a Chart.yaml beside the first says whose they are."""
    folder = posixpath.dirname(documents[0].path) if documents else ""
    beside = parent(files, folder)
    own = posixpath.join(folder, "values.yaml")
    if beside is not None and beside.key and all(item.path != own for item in documents):
        # Helm reads a parent chart's own values before all others.
        documents = [*(_documents(files, own) if files.read(own) is not None else ()), *documents]
    found = plain(documents, beside=beside)
    chart, not_read = kustomization.renders(files, found.path)
    version = str(chart.get("version") or "").removeprefix("v")
    if chart.get("name") == CHART and EXACT.fullmatch(version):
        known, address = Version(version, Origin.NAMED), str(chart.get("repo") or "")
        by = Parent(found.path, "", publisher(address), known, address=address)
        found = dataclasses.replace(found, chart=known, parent=found.parent or by)
    return _with_not_read(found, not_read)


def plain(
    documents: Sequence[Document], engine: Engine = "argocd", beside: Parent | None = None
) -> ValuesSource:
    """A source from values documents, lowest first."""
    layers, problems = [], []
    seen: set[str] = set()
    for document in documents:
        if document.path in seen:
            problems.append(second_document(document))
        elif what := _other_file(document):
            problems.append(_no_values(document.path, f"the file holds {what}"))
        else:
            try:
                layers.append(_without_sops(from_document(document)))
            except NotAMapping as error:
                problems.append(no_mapping(document.path, error.line))
        seen.add(document.path)
    path = documents[-1].path if documents else ""
    found = ValuesSource(
        path,
        "values",
        {},
        tuple(layers),
        engine,
        chart=beside.version if beside else Version(),
        parent=beside,
    )
    return judged(found, problems)


def _other_file(document: Document) -> str:
    """Why a document is not a values file; '' if it may be one."""
    data = section(document.data)
    if {"apiVersion", "kind"} <= set(data):
        return str(data["kind"])
    if {"apiVersion", "name", "version"} <= set(data):
        return "a chart's Chart.yaml"
    if posixpath.basename(document.path) in kustomization.NAMES:
        return "Kustomize's own settings"
    if any("chart" in row for row in entries(data.get("releases"))):
        return "helmfile's releases"
    compose = section(data, "services").values()
    return "services of Docker Compose" if any("image" in section(item) for item in compose) else ""


def _without_sops(layer: ValuesLayer) -> ValuesLayer:
    """Without the metadata that sops adds to a file that it encrypts."""
    if "mac" not in section(layer.values, "sops"):
        return layer
    values = {key: value for key, value in layer.values.items() if key != "sops"}
    return dataclasses.replace(layer, values=values)


def _documents(files: Files, path: str) -> list[Document]:
    content = files.read(path)
    if content is None:
        raise UserError(
            "file not found, or reached through a symbolic link",
            path=path,
            hint="name a regular file of this repository",
        )
    return objects.read(content, path)


def _release(
    files: Files, document: Document, documents: Sequence[Document], clone: Clone | None
) -> Iterator[ValuesSource]:
    data = section(document.data)
    if helm_release.is_record(document):
        yield helm_release.source(document)
        return
    kind, group = str(data.get("kind")), str(data.get("apiVersion")).partition("/")[0]
    if _GROUPS.get(kind) != group:
        return
    match kind:
        case "Application":
            yield from application(files, document, "Application", ())
        case "ApplicationSet":
            for one in application_set.expanded(document):
                yield from application(files, one, "ApplicationSet", ("spec", "template"))
        case _:
            yield from _helm_release(flux_chart.Sources(files, document, documents, clone))


def _helm_release(sources: flux_chart.Sources) -> Iterator[ValuesSource]:
    document, documents = sources.release, sources.documents
    spec, metadata = (section(document.data, key) for key in ("spec", "metadata"))
    origin = flux_chart.chart_of(sources)
    chart = origin.parent
    if chart is not None and chart.publisher == "other":
        return
    problems: list[Problem] = []
    rows = flux_release.rows(document)
    # Their order matters: the ConfigMaps beside it are taken where that is all of them.
    layers = flux_release.layers(rows, documents, metadata.get("namespace")) or []
    where = fields.where(document, ("spec", "valuesFrom"))
    elsewhere = () if layers else tuple(flux_release.elsewhere(rows, where))
    if spec.get("values"):
        try:
            layers.append(from_document(document, ("spec", "values")))
        except NotAMapping as error:
            problems.append(no_mapping(document.path, error.line))
    problems += _schema_skipped(document, spec)
    target = spec.get("targetNamespace")
    name = str(metadata.get("name") or CHART)
    release = str(spec.get("releaseName") or (f"{target}-{name}" if target else name))
    found = ValuesSource(
        document.path,
        "HelmRelease",
        {},
        tuple(layers),
        "helm" if _does_not_wait(spec) else "flux",
        flux_release.shortened(release),
        str(target or metadata.get("namespace") or CHART),
        chart.version if chart else Version(),
        name=name,
        parent=chart,
        partial=bool(elsewhere),
        server_side=True,
        deployers=_deployers(*origin.sources),
        borrowed=origin.borrowed,
        not_read=(
            *elsewhere,
            *origin.not_read,
            *fields.unread(document, document.data, fields.HELM_RELEASE),
        ),
    )
    yield judged(found, problems)


def _schema_skipped(document: Document, spec: Mapping[str, Any]) -> Iterator[Problem]:
    for step in ("install", "upgrade"):
        if str(section(spec, step).get("disableSchemaValidation", "")).lower() == "true":
            yield SCHEMA_SKIPPED.problem(
                "wrong types and misspelt keys reach the cluster: the schema is not checked",
                path=document.path,
                line=document.line(("spec", step, "disableSchemaValidation")),
                hint="remove disableSchemaValidation",
            )


def _does_not_wait(spec: Mapping[str, Any]) -> bool:
    """With both waits off Flux runs Helm hooks as helm itself does."""
    return all(
        str(section(spec, step).get("disableWait", "")).lower() == "true"
        for step in ("install", "upgrade")
    )


__all__ = [
    "ValuesSource",
    "load",
    "load_together",
    "plain",
]
