"""The values of an Argo CD Application: valueFiles < values < valuesObject < parameters."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.files import Files
from generator.core.problem import NotDone, Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.found import (
    EXACT,
    Kind,
    ValuesSource,
    judged,
    no_mapping,
    table,
)
from generator.helmvalues.layers import (
    NotAMapping,
    ValuesLayer,
    from_document,
    from_parameters,
    from_text,
)
from generator.helmvalues.values import Path
from generator.yaml.reader import Document, read_all

SCHEMA_SKIPPED = Rule(
    "values/schema-skipped",
    Severity.WARNING,
    "The schema check is switched off",
    "Wrong types and misspelt keys reach the cluster.",
    command="check",
)
RELEASE_NAME = Rule(
    "application/release-name",
    Severity.WARNING,
    "A release that is called as its Application",
    "Names and selectors of all objects come from it: another Application name makes all anew.",
    "Argo CD",
    command="check",
)


def application(files: Files, document: Document, kind: Kind, root: Path) -> Iterator[ValuesSource]:
    """One release for each Helm source that is Airflow's chart, or the only Helm source."""
    whole = _at(document.data, root)
    spec = table(whole.get("spec"))
    sources = _sources(spec, (*root, "spec"))
    helm = [item for item in sources if "helm" in item[1] or "chart" in item[1]]
    airflow = [item for item in helm if _names_airflow(item[1])] or helm[:1]
    metadata = table(whole.get("metadata"))
    refs = {str(item["ref"]): item for _, item in sources if "ref" in item}
    for place, source in airflow:
        reader = _ArgoReader(files, document, place, source, frozenset(refs))
        options = table(source.get("helm"))
        revision = str(source.get("targetRevision") or "")
        found = ValuesSource(
            document.path,
            kind,
            {},
            tuple(reader.layers()),
            "argocd",
            str(options.get("releaseName") or metadata.get("name") or "airflow"),
            str(table(spec.get("destination")).get("namespace") or "airflow"),
            revision if "chart" in source and EXACT.fullmatch(revision) else "",
            str(options.get("kubeVersion") or ""),
            problems=() if options.get("releaseName") else (_nameless(document, place),),
            not_done=(*reader.not_done, *_templated(kind)),
        )
        yield judged(found, reader.problems)


def _nameless(document: Document, place: Path) -> Problem:
    return RELEASE_NAME.problem(
        "the release is called as the Application: to rename that would make every object anew",
        path=document.path,
        line=document.line((*place, "helm")),
        hint="set helm.releaseName to the name that is deployed",
    )


def _templated(kind: Kind) -> tuple[NotDone, ...]:
    if kind != "ApplicationSet":
        return ()
    reason = "what its generators put into the template is not known here"
    return (NotDone("values of an ApplicationSet", reason, "check an Application it makes"),)


def _sources(spec: Mapping[str, Any], place: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    listed = spec.get("sources")
    if isinstance(listed, list):
        return [
            ((*place, "sources", index), item)
            for index, item in enumerate(listed)
            if isinstance(item, Mapping)
        ]
    source = spec.get("source")
    return [((*place, "source"), source)] if isinstance(source, Mapping) else []


def _names_airflow(source: Mapping[str, Any]) -> bool:
    names = (source.get("chart"), source.get("repoURL"), source.get("path"))
    return any("airflow" in str(name or "") for name in names)


class _ArgoReader:
    """The values of one Argo CD source: valueFiles < values < valuesObject < parameters."""

    def __init__(
        self,
        files: Files,
        document: Document,
        place: Path,
        source: Mapping[str, Any],
        refs: frozenset[str],
    ) -> None:
        self._files = files
        self._document = document
        self._place = (*place, "helm")
        self._source = source
        self._options = table(source.get("helm"))
        self._refs = refs
        self.problems: list[Problem] = []
        self.not_done: list[NotDone] = []

    def layers(self) -> list[ValuesLayer]:
        """Lowest first; what stands in the way is kept in `problems` and `not_done`."""
        found = list(self._value_files())
        for key, reader in (
            ("values", from_text),
            ("valuesObject", from_document),
            ("parameters", from_parameters),
        ):
            if self._options.get(key):
                try:
                    found.append(reader(self._document, (*self._place, key)))
                except NotAMapping as error:
                    self.problems.append(no_mapping(self._document.path, error.line))
        if self._options.get("fileParameters"):
            self.not_done.append(NotDone("fileParameters", "their files are read by Argo CD only"))
        if str(self._options.get("skipSchemaValidation", "")).lower() == "true":
            line = self._document.line((*self._place, "skipSchemaValidation"))
            self.problems.append(
                SCHEMA_SKIPPED.problem(
                    "wrong types and misspelt keys reach the cluster: the schema is not checked",
                    path=self._document.path,
                    line=line,
                    hint="remove skipSchemaValidation",
                )
            )
        return found

    def _value_files(self) -> Iterator[ValuesLayer]:
        names = self._options.get("valueFiles")
        for name in names if isinstance(names, list) else ():
            path = self._resolved(str(name))
            content = self._files.read(path) if path else None
            if content is None:
                self._unreadable(str(name), path)
                continue
            for document in read_all(content, str(path)):
                try:
                    yield from_document(document)
                except NotAMapping as error:
                    self.problems.append(no_mapping(document.path, error.line))

    def _resolved(self, name: str) -> str | None:
        """The path in this repository, or None for a URL, the chart's own file or a way out."""
        if "://" in name or any(letter in name for letter in "*?["):
            return None
        if name.startswith("$"):
            ref, _, rest = name[1:].partition("/")
            path = rest if ref in self._refs else ""
        elif name.startswith("/"):
            path = name[1:] if "path" in self._source else ""
        else:
            folder = self._source.get("path")
            path = posixpath.join(str(folder), name) if folder else ""
        clean = posixpath.normpath(path) if path else ""
        return clean if clean and not clean.startswith("..") and clean != "." else None

    def _unreadable(self, name: str, path: str | None) -> None:
        if path and str(self._options.get("ignoreMissingValueFiles", "")).lower() == "true":
            return
        reason = "is not in this repository" if path else "is not read from here"
        self.not_done.append(
            NotDone(
                "values file",
                f"{name}, named in {self._document.path}, {reason}",
                "check the file itself as well, or give all of them with --together",
            )
        )


def _at(value: Any, path: Path) -> Mapping[str, Any]:
    for key in path:
        value = table(value).get(str(key))
    return table(value)
