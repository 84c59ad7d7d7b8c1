"""What people already have: values files, Argo CD Applications and Flux HelmReleases as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem
from generator.helmvalues import flux_release, helm_release
from generator.helmvalues.argocd_application import application
from generator.helmvalues.found import (
    EXACT,
    NO_VALUES,
    ValuesSource,
    judged,
    no_mapping,
    table,
)
from generator.helmvalues.layers import NotAMapping, from_document
from generator.helmvalues.values import Engine
from generator.yaml.reader import Document, read_all

_GROUPS = {
    "Application": "argoproj.io",
    "ApplicationSet": "argoproj.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
}


def load(files: Files, path: str) -> list[ValuesSource]:
    """Every release that a file describes; a plain values file is one, Helm's record another.

    Raises YamlError for what is not YAML and UserError for a file that is not there. What cannot
    be read from here (Secrets, other repositories, URLs) becomes a NotDone.
    """
    documents = _documents(files, path)
    found = [item for document in documents for item in _release(files, document, documents)]
    if found:
        return found
    if len(documents) == 1 and "kind" not in table(documents[0].data):
        return [plain([documents[0]])]
    kinds = sorted({str(table(document.data).get("kind")) for document in documents})
    what = f"it holds {', '.join(kinds)}" if documents else "it is empty"
    problem = _no_values(path, what)
    return [ValuesSource(path, "values", {}, (), usable=False, problems=(problem,))]


def _no_values(path: str, what: str) -> Problem:
    return NO_VALUES.problem(
        f"no Airflow values here: {what}",
        path=path,
        hint="give a values file, an Argo CD Application, a Flux HelmRelease, or Helm's record"
        " of a release (the Secret sh.helm.release.v1.NAME.vN)",
    )


def load_together(files: Files, paths: Sequence[str]) -> ValuesSource:
    """Several plain values files as one release, the last one winning, as `helm -f a -f b`."""
    return plain([document for path in paths for document in _documents(files, path)])


def plain(documents: Sequence[Document], engine: Engine = "argocd") -> ValuesSource:
    """A source from values documents, lowest first."""
    layers, problems = [], []
    for document in documents:
        if {"apiVersion", "kind"} <= set(table(document.data)):
            kind = table(document.data)["kind"]
            problems.append(_no_values(document.path, f"it holds {kind}"))
            continue
        try:
            layers.append(from_document(document))
        except NotAMapping as error:
            problems.append(no_mapping(document.path, error.line))
    path = documents[-1].path if documents else ""
    return judged(ValuesSource(path, "values", {}, tuple(layers), engine), problems)


def _documents(files: Files, path: str) -> list[Document]:
    content = files.read(path)
    if content is None:
        raise UserError(
            "there is no such file, or it is reached through a symbolic link",
            path=path,
            hint="name a regular file of this repository",
        )
    return read_all(content, path)


def _release(
    files: Files, document: Document, documents: Sequence[Document]
) -> Iterator[ValuesSource]:
    data = table(document.data)
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
            yield from application(files, document, "ApplicationSet", ("spec", "template"))
        case _:
            yield _helm_release(document, documents)


def _helm_release(document: Document, documents: Sequence[Document]) -> ValuesSource:
    spec, metadata = (table(table(document.data).get(key)) for key in ("spec", "metadata"))
    problems: list[Problem] = []
    rows = flux_release.rows(document)
    # Their order matters: the ConfigMaps beside it are taken where that is all of them.
    layers = flux_release.layers(rows, documents) or []
    not_done = () if layers else tuple(flux_release.elsewhere(rows))
    if spec.get("values"):
        try:
            layers.append(from_document(document, ("spec", "values")))
        except NotAMapping as error:
            problems.append(no_mapping(document.path, error.line))
    chart = table(table(spec.get("chart")).get("spec"))
    version = str(chart.get("version") or "")
    target = spec.get("targetNamespace")
    name = str(metadata.get("name") or "airflow")
    found = ValuesSource(
        document.path,
        "HelmRelease",
        {},
        tuple(layers),
        "helm" if _does_not_wait(spec) else "flux",
        str(spec.get("releaseName") or (f"{target}-{name}" if target else name)),
        str(target or metadata.get("namespace") or "airflow"),
        version if EXACT.fullmatch(version) else "",
        not_done=not_done,
    )
    return judged(found, problems)


def _does_not_wait(spec: Mapping[str, Any]) -> bool:
    """With both waits off Flux runs Helm hooks as helm itself does."""
    return all(
        str(table(spec.get(step)).get("disableWait", "")).lower() == "true"
        for step in ("install", "upgrade")
    )


__all__ = [
    "ValuesSource",
    "load",
    "load_together",
    "plain",
]
