"""`gen-env init` as steps: the files of a new repository, git, one commit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import has_errors
from generator.definition import lock_file
from generator.definition.definition import SETTINGS
from generator.git import repository
from generator.git.worktree import Worktree
from generator.pipeline import generate
from generator.pipeline.toolchain import charts
from generator.tree import catalogue, scaffold, writer
from generator.tree.plan import Plan

_URL = "https://git.example.com/airflow-gitops.git"


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line."""

    url: str | None
    branch: str
    forge: str | None
    cluster: str
    server: str
    kubernetes_version: str


def init(target: Path, options: Options, *, commit: bool) -> tuple[str, ...]:
    """Make the repository and return the paths written; none when it is there already.

    Raises UserError for a file in the way, or answers that gen-env.yaml cannot hold.
    """
    if (target / SETTINGS).exists():
        return ()
    if target.exists() and not target.is_dir():
        raise UserError(f"{target.name} is a file", hint="choose another path")
    plan = _plan(target, options, _folder(target))
    new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        if commit:
            _commit(target, plan, options.branch)
        else:
            writer.apply(target, plan)
    except OSError as error:
        raise UserError(f"cannot create {target}: {error.strerror}") from None
    except BaseException:
        if new:
            _remove(target)
        raise
    return plan.paths


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
    """The work tree that the target will belong to; None where there is none, or it is ignored."""
    there = next(place for place in (target, *target.parents) if place.is_dir())
    try:
        tree = Worktree.find(there)
    except UserError:
        return None
    asked = ("check-ignore", "--quiet", "--", str(target.resolve()))
    ignored = tree.git.run("--no-literal-pathspecs", *asked, check=False)
    return None if ignored.status == 0 else tree


def _plan(target: Path, options: Options, folder: str) -> Plan:
    baked = scaffold.repository(
        {
            "url": options.url or _URL,
            "branch": options.branch,
            "path": folder,
            "forge": options.forge or _forge(options.url or ""),
            "cluster": options.cluster,
            "server": options.server,
            "kubernetes_version": options.kubernetes_version,
            "version": lock_file.version(),
        }
    )
    files = Snapshot(baked)
    problems = catalogue.load(files).problems
    if has_errors(problems):
        first = problems[0]
        raise UserError.of(first)
    writes = {path: content.decode() for path, content in baked.items()}
    writes |= generate.generate(files, (), charts()).plan_of("").writes
    here = {path: text for path, text in writes.items() if not (target / path).exists()}
    return Plan(dict(sorted(here.items())))


def _forge(url: str) -> str:
    for forge in ("github", "gitlab", "forgejo", "gitea"):
        if forge in url:
            return forge
    return "forgejo" if "codeberg" in url else "github"


def _commit(target: Path, plan: Plan, branch: str) -> None:
    there = (target / ".git").exists()
    try:
        _commit_in(_worktree(target, branch), target, plan)
    except BaseException:
        if not there:
            _remove(target / ".git")
        raise


def _commit_in(tree: Worktree, target: Path, plan: Plan) -> None:
    prefix = target.resolve().relative_to(tree.root.resolve()).as_posix()
    paths = [path if prefix == "." else f"{prefix}/{path}" for path in plan.paths]
    with writer.reversible(target, plan):
        tree.commit_only(paths, "Set up the repository with gen-env")


def _worktree(target: Path, branch: str) -> Worktree:
    """The repository around the target; a new one where there is none, or where it is ignored."""
    tree = _around(target)
    if tree is not None:
        return tree
    repository.create(target, branch)
    return Worktree.find(target)
