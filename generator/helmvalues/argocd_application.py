"""The releases of Airflow's chart among Argo CD Applications, and their values.

Order of values in one source: valueFiles < valuesObject, else values < parameters.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.basis import NotRead, Origin, Version
from generator.core.files import Files
from generator.core.layered import Path, dotted, lookup
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues import fields, placeholders
from generator.helmvalues.chart_kind import looks_official, publisher
from generator.helmvalues.dependency import CHART, EXACT, Parent, not_exact, parent
from generator.helmvalues.found import (
    ADDRESS,
    Borrowed,
    Kind,
    ValuesSource,
    judged,
    no_mapping,
    second_document,
)
from generator.helmvalues.layers import (
    NotAMapping,
    Templated,
    ValuesLayer,
    from_document,
    from_parameters,
    from_text,
    stacked,
)
from generator.kube.fields import section
from generator.yaml.reader import Document, read_all

Source = tuple[Path, Mapping[str, Any]]
"""Where a source stands in the document, and the source."""
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
    "A release that takes the name of its Application",
    "Names and selectors of all objects come from it: another Application name creates all "
    "objects again.",
    "Argo CD",
    command="check",
)


def application(files: Files, document: Document, kind: Kind, root: Path) -> Iterator[ValuesSource]:
    """One release for each source that is, or may be, Airflow's chart; others are left alone."""
    whole = section(lookup(document.data, root))
    sources = _sources(section(whole, "spec"), (*root, "spec"))
    refs = {str(item["ref"]): item for _, item in sources if "ref" in item}
    template = kind == "ApplicationSet"
    readers = [_ArgoReader(files, document, place, item, refs, template) for place, item in sources]
    ours = [reader for reader in readers if reader.may_be_airflow(str(_name(whole)))]
    # A source whose chart is known makes guesses about the others needless.
    ours = [reader for reader in ours if reader.parent is not None] or ours
    unread = list(fields.unread(document, document.data, fields.BY_KIND[kind]))
    for place, item in sources:
        unread += fields.unread(document, item, fields.ARGOCD_SOURCE, place)
    unread += _decided_elsewhere(document, root, whole)
    for reader in readers:
        if reader not in ours and not reader.is_ref_only:
            reason = "another source: its objects are not those of Airflow's chart"
            unread.append(NotRead(dotted(reader.place), reader.where, reason))
    for reader in ours:
        yield judged(_release(document, kind, whole, reader, unread), reader.problems)


_IMAGE_UPDATER = "argocd-image-updater.argoproj.io/"


def _decided_elsewhere(
    document: Document, root: Path, whole: Mapping[str, Any]
) -> Iterator[NotRead]:
    """The values that another program, or an ApplicationSet's generator, puts in place of these."""
    annotations = section(whole, "metadata", "annotations")
    for name in [name for name in annotations if str(name).startswith(_IMAGE_UPDATER)][:1]:
        where = fields.where(document, (*root, "metadata", "annotations", name))
        reason = "Argo CD Image Updater sets image parameters that are not in this file"
        yield NotRead(f"images of {name}", where, reason)
    generators = section(document.data, "spec").get("generators")
    for place in _templates(generators, ("spec", "generators")):
        reason = "it overrides the template for the Applications of this generator"
        yield NotRead(dotted(place), fields.where(document, place), reason)


def _templates(generators: Any, place: Path) -> Iterator[Path]:
    """Templates of generators, including those inside matrix and merge generators."""
    for index, row in enumerate(generators if isinstance(generators, list) else ()):
        for name, generator in row.items() if isinstance(row, Mapping) else ():
            here: Path = (*place, index, str(name))
            template = section(generator, "template")
            if any(template.values()):
                yield (*here, "template")
            yield from _templates(section(generator).get("generators"), (*here, "generators"))


def _release(
    document: Document,
    kind: Kind,
    whole: Mapping[str, Any],
    reader: _ArgoReader,
    unread: list[NotRead],
) -> ValuesSource:
    options = reader.options
    layers = tuple(reader.layers())
    namespace = options.get("namespace") or section(whole, "spec", "destination").get("namespace")
    apis = options.get("apiVersions")
    return ValuesSource(
        document.path,
        kind,
        {},
        layers,
        "argocd",
        str(options.get("releaseName") or _name(whole) or CHART),
        str(namespace or CHART),
        reader.parent.version if reader.parent else Version(),
        str(options.get("kubeVersion") or ""),
        tuple(str(item) for item in apis) if isinstance(apis, list) else (),
        name=str(_name(whole) or ""),
        parent=reader.parent,
        partial=bool(reader.not_read),
        problems=() if options.get("releaseName") else (_nameless(document, reader.place),),
        not_read=(*reader.not_read, *reader.filled_in(), *reader.unknown(), *unread),
        server_side=_server_side(section(whole, "spec")),
        borrowed=tuple(reader.borrowed),
    )


def _server_side(spec: Mapping[str, Any]) -> bool:
    options = section(spec, "syncPolicy").get("syncOptions")
    return isinstance(options, list) and "ServerSideApply=true" in options


def _name(whole: Mapping[str, Any]) -> Any:
    return section(whole, "metadata").get("name")


def _nameless(document: Document, place: Path) -> Problem:
    return RELEASE_NAME.problem(
        "the release takes the name of the Application: renaming it would create every object "
        "again",
        path=document.path,
        line=document.line((*place, "helm")),
        hint="set helm.releaseName to the name that is deployed",
    )


def _sources(spec: Mapping[str, Any], place: Path) -> list[Source]:
    listed = spec.get("sources")
    if isinstance(listed, list) and listed:
        return [
            ((*place, "sources", index), item)
            for index, item in enumerate(listed)
            if isinstance(item, Mapping)
        ]
    source = spec.get("source")
    return [((*place, "source"), source)] if isinstance(source, Mapping) else []


class _ArgoReader:
    """One source of an Application: whose chart it is, and its values."""

    def __init__(
        self,
        files: Files,
        document: Document,
        place: Path,
        source: Mapping[str, Any],
        refs: Mapping[str, Mapping[str, Any]],
        template: bool,
    ) -> None:
        self._files = files
        self._document = document
        self.place = place
        self._place = (*place, "helm")
        self._source = source
        self.options = section(source, "helm")
        self._refs = refs
        self._template = template
        self.problems: list[Problem] = []
        self.not_read: list[NotRead] = []
        self.borrowed: list[Borrowed] = []
        self.parent = self._chart()

    @property
    def where(self) -> str:
        """File and line of the source."""
        return fields.where(self._document, self.place)

    @property
    def is_ref_only(self) -> bool:
        """Whether it only gives values files to other sources."""
        return "ref" in self._source and not {"path", "chart"} & set(self._source)

    def may_be_airflow(self, application: str) -> bool:
        """Whether it is Airflow's chart, as far as can be told from here.

        A folder whose Chart.yaml is elsewhere may be, where a name or its values speak of Airflow.
        """
        if self.is_ref_only:
            return False
        if self.parent is not None:
            return self.parent.publisher != "other"
        names = (application, self._source.get("path"), self._source.get("repoURL"))
        if any(CHART in str(name or "").lower() for name in names):
            return True
        inline = [layer for layer in self._inline() if layer is not None]
        return looks_official(stacked(inline))

    def unknown(self) -> Iterator[NotRead]:
        """What is not known of the chart: a range, or a Chart.yaml that is not in reach."""
        revision = str(self._source.get("targetRevision") or "")
        if self.parent is None:
            reason = "its Chart.yaml is not in this repository"
            yield NotRead(f"chart of path {self._source.get('path')}", self.where, reason)
        elif "chart" in self._source and not self.parent.version.version:
            yield NotRead("chart version", self.where, not_exact(revision))
        kind = "ApplicationSet" if self._template else "Application"
        for _, text in placeholders.places({"repoURL": self._source.get("repoURL")}, kind):
            reason = f"another program fills in {text} of it: which chart it gives is not known"
            yield NotRead(f"{ADDRESS}the chart", self.where, reason)

    def filled_in(self) -> Iterator[NotRead]:
        """Parameters that Argo CD changes before Helm gets them (its build environment)."""
        rows = self.options.get("parameters")
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            name = str(section(row).get("name"))
            where = fields.where(self._document, (*self._place, "parameters", index))
            if "$" in str(section(row).get("value") or ""):
                reason = "Argo CD fills in what follows `$`; the value was judged as written"
                yield NotRead(f"parameter {name}", where, reason)
            if self._template and "{{" in name:
                yield NotRead(f"parameter {name}", where, "its name is filled in later")

    def _chart(self) -> Parent | None:
        """What a chart's name or the Chart.yaml of a path says; None where neither is there."""
        if "chart" in self._source:
            name = str(self._source["chart"]).rpartition("/")[2]
            revision = str(self._source.get("targetRevision") or "")
            exact = revision.removeprefix("v") if EXACT.fullmatch(revision) else ""
            maker = publisher(f"{self._source.get('repoURL')}/{self._source['chart']}")
            return Parent(
                self._document.path,
                "",
                maker if name == CHART else "other",
                Version(exact, Origin.NAMED) if exact else Version(),
                range="" if exact else revision,
                address=str(self._source.get("repoURL") or ""),
            )
        folder = str(self._source.get("path") or "")
        found = parent(self._files, folder.strip("/")) if folder else None
        if found is not None:
            self._borrow(f"chart of path {folder}", posixpath.dirname(found.path), self._source)
        return found

    def _borrow(self, what: str, path: str, source: Mapping[str, Any]) -> None:
        """Note what was read here in the name of a git source."""
        address, revision = (str(source.get(key) or "") for key in ("repoURL", "targetRevision"))
        self.borrowed.append(Borrowed(what, path, address, revision, self.where))

    def _inline(self) -> Iterator[ValuesLayer | None]:
        for key, reader in (
            ("values", functools.partial(from_text, template=self._template)),
            ("valuesObject", from_document),
            ("parameters", from_parameters),
        ):
            # Argo CD takes `values` only where there is no `valuesObject` (Helm.ValuesYAML).
            if key == "values" and self.options.get("valuesObject"):
                continue
            if self.options.get(key):
                place = (*self._place, key)
                try:
                    yield reader(self._document, place)
                except Templated:
                    where = fields.where(self._document, place)
                    reason = "a template chooses among its lines"
                    self.not_read.append(NotRead(dotted(place), where, reason))
                except NotAMapping as error:
                    problem = no_mapping(self._document.path, error.line)
                    if problem not in self.problems:
                        self.problems.append(problem)

    def layers(self) -> list[ValuesLayer]:
        """Lowest first; what stands in the way is kept in `problems` and `not_read`."""
        self.not_read += self._overrides()
        found = list(self._value_files(self._parents_own()))
        found += [layer for layer in self._inline() if layer is not None]
        if str(self.options.get("skipSchemaValidation", "")).lower() == "true":
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

    def _overrides(self) -> Iterator[NotRead]:
        """`.argocd-source*.yaml` in the source's folder, which Argo CD merges into the source."""
        folder = posixpath.normpath(str(self._source.get("path") or "").strip("/") or ".")
        if self._source.get("path"):
            base = "" if folder == "." else f"{folder}/"
            for path, _ in self._files.entries(folder if base else ""):
                if path.removeprefix(base).startswith(".argocd-source"):
                    yield NotRead(f"file {path}", self.where, "Argo CD merges it into this source")

    def _parents_own(self) -> list[str]:
        """The parent chart's own values.yaml, which Helm reads before all others."""
        if self.parent is None or not self.parent.key:
            return []
        path = posixpath.join(posixpath.dirname(self.parent.path), "values.yaml")
        return [f"/{path}"] if self._files.read(path) is not None else []

    def _value_files(self, first: list[str]) -> Iterator[ValuesLayer]:
        names = self.options.get("valueFiles")
        for name in (*first, *(names if isinstance(names, list) else ())):
            path = self._resolved(str(name))
            content = self._files.read(path) if path else None
            if content is None:
                self._unreadable(str(name), path)
                continue
            if name not in first:
                named = self._refs.get(str(name)[1:].partition("/")[0])
                self._borrow(f"values file {name}", str(path), named or self._source)
            documents = read_all(content, str(path))
            self.problems += (second_document(document) for document in documents[1:2])
            for document in documents[:1]:
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
        if path and str(self.options.get("ignoreMissingValueFiles", "")).lower() == "true":
            return
        reason = "is not in this repository" if path else "is not read from here"
        self.not_read.append(
            NotRead(
                f"values file {name}",
                fields.where(self._document, (*self._place, "valueFiles")),
                reason,
                "check the file itself as well, or give all of them with --together",
            )
        )
