"""`gen-env diff` as steps: which revisions, which files, which format."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from posixpath import normpath, relpath

from generator.core.errors import UserError
from generator.core.files import Snapshot, WorkTree
from generator.definition.definition import ROOT, SETTINGS
from generator.engine import argocd_reach, flux_reach
from generator.git.files import APART, GitFiles
from generator.git.revision import Revision
from generator.git.worktree import History, Worktree
from generator.pipeline import review, toolchain
from generator.report.model import Report

Progress = Callable[[int, int, str], None]
Commits = tuple[str, str | None]
"""Base and head; None is the work tree."""

# What of a repository can matter to gen-env, beside a vendored chart.
_PARTS = (ROOT, SETTINGS, "bootstrap", ".gen-env", *argocd_reach.AT_TOP)
# What decides which environments a change concerns.
_DECISIVE = (ROOT, SETTINGS, "bootstrap")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for on the command line."""

    folder: Path
    base: str | None = None
    head: str | None = None
    environments: tuple[str, ...] = ()
    file: str | None = None
    live: bool = False
    strict: bool = False
    """Make every check of `validate` too, on both sides."""
    accept: tuple[str, ...] = ()
    """Rules of impacts that somebody has accepted."""
    helm: str | None = None


def compare(request: Request, progress: Progress) -> Report:
    """The report; raises UserError for revisions that are not there."""
    tree = Worktree.find(request.folder)
    prefix = request.folder.resolve().relative_to(tree.root.resolve()).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    base = base_revision(tree, request)
    head = tree.resolve(request.head) if request.head else None
    with contextlib.ExitStack() as opened:
        # git looks through the whole tree while the settings and charts are read.
        aside = opened.enter_context(ThreadPoolExecutor(max_workers=1))
        touched = aside.submit(_touched, tree, (base, head), prefix, _DECISIVE)
        revisions = review.Revisions(
            base=opened.enter_context(_lazily(tree, base, prefix, request)),
            head=opened.enter_context(_lazily(tree, head, prefix, request))
            if head
            else toolchain.work_tree(request.folder),
            base_name=_shown(request.base, base),
            head_name=_shown(request.head, head) if head else "the work tree",
        )
        renderer = toolchain.lazy(WorkTree(request.folder), request.helm)
        charts = toolchain.charts(revisions.head, request.folder)
        tools = review.Toolchain(charts, renderer, progress=progress)
        if request.file is not None:
            return _plain(request, revisions, tools, (base, head))
        carried = {toolchain.vendored_path(files) for files in (revisions.base, revisions.head)}
        shared = _touched(tree, (base, head), prefix, tuple(filter(None, carried)))
        clusters = _touched(tree, (base, head), prefix, _cluster_paths(revisions))
        changed = touched.result() | shared | clusters
        revisions = dataclasses.replace(revisions, changed=frozenset(changed))
        reached = None if shared else changed
        report = review.review(revisions, request.environments, reached, tools)
        report = _found(request, revisions, reached, report, tools)
        return _with_drift(request, revisions, report, tools) if request.live else report


def _cluster_paths(revisions: review.Revisions) -> tuple[str, ...]:
    """Where the Flux of each cluster finds its environments, on both sides."""
    both = (toolchain.settings(files) for files in (revisions.base, revisions.head))
    found = {
        path
        for item in both
        if item is not None
        for path in (*flux_reach.paths(item), *flux_reach.applied(item))
    }
    return tuple(sorted(found))


def _lazily(tree: Worktree, sha: str, prefix: str, request: Request) -> GitFiles:
    """The files of a commit; of a file of its own, nobody knows what else lies there."""
    listed = _PARTS if request.file is None else ()
    return GitFiles(Revision(tree.git, sha), prefix, listed)


def _plain(
    request: Request, revisions: review.Revisions, tools: review.Toolchain, commits: Commits
) -> Report:
    """One file that belongs to no definition, and the values files that it names."""
    from generator.actions import plain_release
    from generator.git.clone import Clone

    assert request.file is not None
    repository = toolchain.settings(WorkTree(request.folder))
    known = repository.chart.url if repository else ""
    plain = plain_release.PlainReleases(tools.charts, tools.renderer, repository=known)
    branch = repository.repository.branch if repository else ""
    base, head = (
        plain_release.At(
            name, files, Clone.of(request.folder, commit or "", branch, request.base or "")
        )
        for name, files, commit in (
            (revisions.base_name, revisions.base, commits[0]),
            (revisions.head_name, revisions.head, commits[1]),
        )
    )
    return plain_release.compare(base, head, request.file, plain)


def _found(
    request: Request,
    revisions: review.Revisions,
    touched: set[str] | None,
    report: Report,
    tools: review.Toolchain,
) -> Report:
    """The report with the state of each finding, and with those of `validate` when strict."""
    from generator.actions import change_findings

    if not request.strict:
        return change_findings.reviewed(report, revisions, tools)
    from generator.actions import validate

    names = review.reached(revisions, request.environments, touched)
    repository = toolchain.settings(WorkTree(request.folder))
    crds = validate.crd_folder(request.folder, repository.crds if repository else None)
    checks = change_findings.Checks(datetime.datetime.now(datetime.UTC), crds)
    report = change_findings.validated(report, revisions, names, tools, checks)
    return change_findings.accepted(report, request.accept)


def _with_drift(
    request: Request, revisions: review.Revisions, report: Report, tools: review.Toolchain
) -> Report:
    """The same report, with what each cluster differs in from the base."""
    from generator.pipeline import drift

    return drift.with_drift(
        report, revisions.base, revisions.base_name, tools, request.environments
    )


def base_revision(tree: Worktree, request: Request) -> str:
    """The base: as given, else where this branch left the default branch."""
    if request.base:
        return tree.resolve(request.base)
    head = tree.head()
    if head is None:
        raise UserError("no commit to compare with yet", hint="commit something first")
    repository = toolchain.settings(WorkTree(request.folder))
    branch = tree.default_branch(repository.repository.branch if repository else "")
    return tree.left_at(branch, head)


def at_revision(tree: History, sha: str, prefix: str) -> Snapshot:
    """The files of a commit that matter to gen-env, read from git's objects in one go."""
    revision = tree.at(sha)
    found = _read(revision, prefix, (*_PARTS, *argocd_reach.above(prefix)))
    settings = toolchain.settings(found)
    if settings is None:
        return found
    chart = (settings.chart.path,) if settings.chart.source == "vendored" else ()
    more = _read(revision, prefix, (*chart, *flux_reach.paths(settings)))
    contents = {**found.contents, **more.contents}
    links, unread = found.symlinks + more.symlinks, {**found.unread, **more.unread}
    return Snapshot(contents, links, unread)


def _read(revision: Revision, prefix: str, parts: Sequence[str]) -> Snapshot:
    def inside(path: str) -> str:
        return path.removeprefix(prefix) if path.startswith(prefix) else relpath(path, prefix)

    contents, left = revision.read_tree(*(normpath(f"{prefix}{part}") for part in parts))
    links = tuple(inside(entry.path) for entry in left if entry.mode in APART)
    return Snapshot(
        {inside(path): content for path, content in contents.items()},
        links,
        {inside(entry.path): entry.fault for entry in left},
    )


def _touched(tree: Worktree, sides: Commits, prefix: str, paths: Sequence[str]) -> set[str]:
    """Files at or below `paths` that differ between base and head."""
    if not paths:
        return set()
    base, head = sides
    within = ["--", *(f"{prefix}{path}" for path in paths)]
    arguments = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", base]
    output = tree.git.run(*arguments, *([head] if head else []), *within).stdout
    if not head:
        listed = ("ls-files", "-z", "--others", "--exclude-standard")
        output += tree.git.run(*listed, *within).stdout
    names = [name.decode("utf-8", "replace") for name in output.split(b"\0") if name]
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _shown(name: str | None, sha: str | None) -> str:
    short = (sha or "")[:12]
    return short if name is None or (sha or "").startswith(name) else f"{name} ({short})"


def formatted(report: Report, form: str, budget: int, *, color: bool) -> str:
    """The report as text in one of its formats."""
    if form == "json":
        from generator.report import json_report

        return json_report.render(report)
    if form == "markdown":
        from generator.report import markdown

        return markdown.render(report, budget=budget)
    if form == "html":
        from generator.report import html

        return html.render(report)
    import io

    from rich.console import Console

    from generator.report import terminal

    text = io.StringIO()
    width = shutil.get_terminal_size((100, 40)).columns
    console = Console(file=text, force_terminal=color, no_color=not color, width=width)
    terminal.show(report, console)
    return text.getvalue()
