"""`gen-env init` as steps: the files of a new repository, git, one commit."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

from generator.actions.setup.ci import Install
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import has_errors
from generator.definition.definition import SETTINGS
from generator.engine.flux_bootstrap import FluxBootstrap
from generator.forge import location
from generator.git import repository
from generator.git.url import is_remote
from generator.git.worktree import Worktree
from generator.model.environment import Engine
from generator.pipeline import generate
from generator.pipeline.toolchain import charts
from generator.tree import catalogue, scaffold, writer
from generator.tree.plan import Plan

FORGES = ("github", "gitlab", "gitea", "forgejo")
GITLAB = ".gitlab-ci.yml"
BESIDE = ".gitlab/gen-env.yml"
"""The check of a GitLab repository that has a pipeline of its own."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line."""

    url: str
    branch: str
    forge: str
    """One of FORGES; empty: none, and no CI check is written."""
    cluster: str
    server: str
    kubernetes_version: str
    install: Install = dataclasses.field(default_factory=Install)
    engine: Engine = "argocd"
    flux: FluxBootstrap | None = None
    """What `flux bootstrap` made for the cluster."""


def origin(target: Path) -> str | None:
    """The address of the remote `origin` of the repository that the target will belong to.

    None without such a remote, or if Argo CD cannot reach it (a path of this machine).
    """
    around = _around(target)
    url = around.remote_url() if around else None
    return url if url and is_remote(url) else None


def branch(target: Path) -> str:
    """The default branch of the repository that the target will belong to; `main` for a new one."""
    around = _around(target)
    return around.default_branch() if around else "main"


def forge_of(url: str) -> str:
    """The forge that an address names; raises UserError where the host does not tell."""
    place = location.locate(url)
    host = place.web_url.partition("://")[2]
    is_forgejo = "forgejo" in host or host == "codeberg.org"
    return "forgejo" if is_forgejo else place.kind.value


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """The paths written, from the top of the git repository, and what is left for a person."""

    written: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def init(target: Path, options: Options, *, commit: bool) -> Made:
    """Make the repository; nothing is written where it is there already.

    Raises UserError for a file in the way, or answers that gen-env.yaml cannot hold.
    """
    if (target / SETTINGS).exists():
        return Made()
    if target.exists() and not target.is_dir():
        raise UserError(f"{target.name} is a file", hint="choose another path")
    folder = _folder(target)
    top = target.parents[folder.count("/")] if folder else target
    plan, notes = _plan(top, options, folder)
    new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        if commit:
            _commit(target, top, plan, options.branch)
        else:
            writer.apply(top, plan)
    except OSError as error:
        raise UserError(f"cannot create {target}: {error.strerror}") from None
    except BaseException:
        if new:
            _remove(target)
        raise
    return Made(plan.paths, notes)


def _remove(target: Path) -> None:
    import shutil

    shutil.rmtree(target, ignore_errors=True)


def _folder(target: Path) -> str:
    """Where in a larger git repository the target is; nothing where it gets one of its own."""
    around = _around(target)
    if around is None:
        return ""
    inside = target.resolve().relative_to(around.root.resolve()).as_posix()
    return "" if inside == "." else inside


def _around(target: Path) -> Worktree | None:
    """The work tree that the target will belong to; None without one, or if it is ignored."""
    there = next(place for place in (target, *target.parents) if place.is_dir())
    try:
        tree = Worktree.find(there)
    except UserError:
        return None
    asked = ("check-ignore", "--quiet", "--", str(target.resolve()))
    ignored = tree.git.run("--no-literal-pathspecs", *asked, check=False)
    return None if ignored.status == 0 else tree


def _plan(top: Path, options: Options, folder: str) -> tuple[Plan, tuple[str, ...]]:
    """What to write below the top of the git repository, and what the CI still needs."""
    baked = scaffold.repository(
        {
            "url": options.url,
            "branch": options.branch,
            "path": folder,
            "forge": options.forge,
            "engine": options.engine,
            **(options.flux.answers if options.flux else {}),
            "cluster": options.cluster,
            "server": options.server,
            "kubernetes_version": options.kubernetes_version,
            "command": _command(folder),
            "pip": options.install.pip,
            "image": options.install.image,
        }
    )
    files = Snapshot(baked)
    problems = catalogue.load(files).problems
    if has_errors(problems):
        first = problems[0]
        raise UserError.of(first)
    checks = scaffold.checks(options.forge)
    writes = {path: content.decode() for path, content in baked.items() if path not in checks}
    writes |= generate.generate(files, (), charts()).plan_of("").writes
    placed = {f"{folder}/{path}" if folder else path: text for path, text in writes.items()}
    notes: tuple[str, ...] = ()
    for path in checks:
        place = path
        if path == GITLAB and (top / path).exists():
            place = BESIDE
            notes = (f"{GITLAB} exists; add to it: include: [{{local: {BESIDE}}}]",)
        if (top / place).exists():
            notes = (_unchecked(place, folder),)
        placed[place] = baked[path].decode()
    here = {path: text for path, text in placed.items() if not (top / path).exists()}
    return Plan(dict(sorted(here.items()))), notes


def _command(folder: str) -> str:
    return f"gen-env -C {shlex.quote(folder)}" if folder else "gen-env"


def _unchecked(place: str, folder: str) -> str:
    """What the CI lacks where a file stands at the place of the check: it is not overwritten."""
    command = _command(folder)
    return (
        f"{place} exists and stays as it is; the CI checks nothing of this unless you add"
        f" there: {command} validate, and in a pull request: {command} diff --strict BASE HEAD"
    )


def _commit(target: Path, top: Path, plan: Plan, branch: str) -> None:
    there = (target / ".git").exists()
    try:
        tree = _worktree(target, branch)
        with writer.reversible(top, plan):
            tree.commit_only(plan.paths, "Set up the repository with gen-env")
    except BaseException:
        if not there:
            _remove(target / ".git")
        raise


def _worktree(target: Path, branch: str) -> Worktree:
    """The repository around the target; a new one without any, or if the target is ignored."""
    tree = _around(target)
    if tree is not None:
        return tree
    repository.create(target, branch)
    return Worktree.find(target)
