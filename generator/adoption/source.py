"""What is taken over: the values of one release, and who deployed it until now."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.core.basis import NotRead
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.git.worktree import Worktree
from generator.helmvalues import fields, flux_release, objects
from generator.helmvalues.dependency import COPY
from generator.helmvalues.found import ADDRESS, ValuesSource, judged
from generator.helmvalues.layers import ValuesLayer
from generator.helmvalues.read import load, load_together
from generator.kube.fields import section
from generator.yaml.reader import Document

NOT_READ = Rule(
    "adopt/not-read",
    Severity.ERROR,
    "A part of the release that gen-env does not read",
    "What is not read is not compared, and would be gone or changed after the adoption.",
    command="adopt",
)
LOST = Rule(
    "adopt/lost-setting",
    Severity.WARNING,
    "A setting of the old owner that has no counterpart",
    "It changes no object, but who applies them, where or in which order.",
    command="adopt",
)
_VALUES = ("values file", "values of")
# The user names the version with --chart; a copy of the chart is rendered for the proof, and where
# the address is not known, the second reading proves nothing.
_PROVED = ("chart version", COPY, ADDRESS)
# The first line of `helm get values`, with and without --all.
_HELM = re.compile(rb"\A\s*(USER-SUPPLIED|COMPUTED) VALUES:[ \t]*(null[ \t]*)?(?=\r?\n|\Z)")


@dataclasses.dataclass(frozen=True)
class Owner:
    """Who deployed the release until now: an Application, a HelmRelease, or Helm by hand."""

    kind: str
    name: str = ""
    namespace: str = ""
    project: str = ""
    server: str = ""
    cluster: str = ""
    cascades: bool = False
    automated: bool = False


@dataclasses.dataclass(frozen=True)
class Original:
    """The values as they were deployed, where they stand, and their owner."""

    source: ValuesSource
    owner: Owner
    paths: tuple[str, ...]
    application: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    helm_release: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    lost: tuple[NotRead, ...] = ()
    """Settings of the owner that have no counterpart in Argo CD."""


def read_original(paths: Sequence[Path]) -> Original:
    """One release from these files: values files (the last wins), or one Application or HelmRelease
    with the values files that it takes from elsewhere, in its order.

    Raises UserError for values of another chart, more than one release, an ApplicationSet, and
    values that cannot be read from here.
    """
    top = _top(paths)
    names = [path.resolve().relative_to(top).as_posix() for path in paths]
    files = _without_headings(WorkTree(top), names)
    releases = [name for name in names if _kind(files, name)]
    if len(releases) > 1:
        raise UserError(
            f"{' and '.join(releases)} describe separate releases",
            hint="adopt them one by one, each under its own --name",
        )
    plain = [name for name in names if name not in releases]
    if not releases:
        source = load_together(files, plain) if len(plain) > 1 else load(files, plain[0])[0]
        return Original(_usable(source), Owner("Helm"), tuple(names))
    return _released(files, releases[0], plain)


def _top(paths: Sequence[Path]) -> Path:
    """The repository that the files stand in: an Application's paths are relative to it."""
    for path in paths:
        if not path.is_file():
            raise UserError("file not found", path=str(path))
    folder = paths[0].resolve().parent
    with contextlib.suppress(UserError):
        folder = Worktree.find(folder).root.resolve()
    while not all(path.resolve().is_relative_to(folder) for path in paths):
        folder = folder.parent
    return folder


def _without_headings(files: Files, names: Sequence[str]) -> Files:
    """`helm get values` writes a heading above the values; the line stays, as a comment."""
    changed = {}
    for name in names:
        content = files.read(name) or b""
        if found := _HELM.match(content):
            changed[name] = b"#" + content[len(found[0]) :]
    return Overlay(files, changed)


def _kind(files: Files, name: str) -> str:
    content = files.read(name)
    for document in objects.read(content, name) if content else ():
        kind = str(section(document.data).get("kind") or "")
        if kind in ("Application", "ApplicationSet", "HelmRelease"):
            return kind
    return ""


def _released(files: Files, name: str, more: Sequence[str]) -> Original:
    sources = load(files, name)
    if any(source.kind == "ApplicationSet" for source in sources):
        raise UserError(
            "an ApplicationSet makes its Applications from a template",
            path=name,
            hint="adopt one of its Applications: argocd app get NAME -o yaml > app.yaml",
        )
    if len(sources) != 1:
        raise UserError(f"this file contains {len(sources)} releases", path=name)
    source = sources[0]
    unread = [item for item in source.not_read if item.what.startswith(_VALUES)]
    if len(unread) != len(more):
        reasons = "; ".join(str(item) for item in unread) or "nothing is missing"
        files_needed = counted(len(unread), "values file")
        raise UserError(
            f"it needs {files_needed} from elsewhere, not {len(more)}: {reasons}",
            path=name,
            hint="give exactly those, in that order, after the file itself; an empty file for an"
            " optional one that the cluster does not have",
        )
    if more:
        rows = flux_release.rows_of(files, name)
        layers = tuple(
            layer
            for number, item in enumerate(more)
            for layer in _below(files, item, rows[number] if rows else None)
        )
        # What the parent chart leaves unread comes back with the second judgement.
        known = (*unread, *(source.parent.not_read if source.parent else ()))
        left = tuple(item for item in source.not_read if item not in known)
        merged = dataclasses.replace(
            source, layers=(*layers, *source.layers), problems=(), partial=False, not_read=left
        )
        source = judged(merged, source.problems)
    document = _owners_document(files, name)
    data = section(document.data)
    return Original(
        _usable(source),
        _owner(data),
        (name, *more),
        data if data.get("kind") == "Application" else {},
        data if data.get("kind") == "HelmRelease" else {},
        tuple(fields.lost(document, data, fields.BY_KIND[str(data["kind"])])),
    )


def _below(files: Files, name: str, row: flux_release.Row | None) -> tuple[ValuesLayer, ...]:
    """The values that stand in a file elsewhere; a ConfigMap for Flux holds them as text."""
    if row is not None:
        if row.target:
            raise UserError(
                f"valuesFrom {row.kind} {row.name} goes to {row.target} by targetPath",
                path=name,
                hint="write that value below spec.values, without targetPath, and adopt then",
            )
        found = flux_release.layers([row], objects.read(files.read(name) or b"", name))
        if found:
            return tuple(found)
    return _usable(load(files, name)[0]).layers


def refusals(source: ValuesSource) -> list[Problem]:
    """Everything of the release that is not read: what cannot be compared cannot be taken over."""
    hint = "take it out of the release first, or adopt the release without it"
    return [
        _named(NOT_READ, item, "is not read", item.hint or hint, source.path)
        for item in source.not_read
        if not item.what.startswith(_PROVED)
    ]


def _named(rule: Rule, item: NotRead, what: str, hint: str = "", path: str = "") -> Problem:
    place = re.fullmatch(r"(.+):(\d+)", item.where)
    return rule.problem(
        f"{item.what} {what}: {item.reason}",
        path=place[1] if place else item.where or path,
        line=int(place[2]) if place else None,
        hint=hint,
    )


def _usable(source: ValuesSource) -> ValuesSource:
    for problem in source.problems:
        if problem.severity is Severity.ERROR or not source.usable:
            raise UserError.of(problem)
    return source


def lost(original: Original) -> list[Problem]:
    """What the old owner did and nothing does afterwards."""
    return [_named(LOST, item, "is lost") for item in original.lost]


def lost_pin(original: Original, version: str) -> list[Problem]:
    """The digest that an OCIRepository pinned the chart by: gen-env pins the version."""
    parent = original.source.parent
    digest = parent.range if parent else ""
    if not digest.startswith("sha256:"):
        return []
    reason = (
        f"no file says which chart {digest} is, and the registry was not asked; {version} was taken"
        " for it, as --chart says, and the version is pinned from now on"
    )
    return [_named(LOST, NotRead("ref.digest", original.source.path, reason), "is lost")]


def _owners_document(files: Files, name: str) -> Document:
    return next(
        item
        for item in objects.read(files.read(name) or b"", name)
        if section(item.data).get("kind") in ("Application", "HelmRelease")
    )


def _owner(data: Mapping[str, Any]) -> Owner:
    metadata, spec = section(data, "metadata"), section(data, "spec")
    destination = section(spec, "destination")
    finalizers = metadata.get("finalizers")
    return Owner(
        kind=str(data["kind"]),
        name=_text(metadata, "name"),
        namespace=_text(metadata, "namespace"),
        project=_text(spec, "project"),
        server=_text(destination, "server"),
        cluster=_text(destination, "name"),
        cascades=any(
            "resources-finalizer" in str(item)
            for item in (finalizers if isinstance(finalizers, list) else ())
        ),
        automated=bool(section(spec, "syncPolicy").get("automated") is not None),
    )


def _text(data: Mapping[str, Any], key: str) -> str:
    return str(data.get(key) or "")
