"""What a proposal starts from: the default branch as others have it, never the work tree."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from generator.actions import diff
from generator.core.errors import UserError
from generator.core.files import Snapshot, WorkTree
from generator.definition.definition import ROOT, SETTINGS, Definition, Settings
from generator.git.command import words_of
from generator.git.errors import Fault, RemoteError
from generator.git.url import display_url
from generator.git.worktree import History, Worktree
from generator.pipeline import toolchain
from generator.tree import catalogue
from generator.tree.catalogue import Catalogue

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", re.IGNORECASE)
_ATTEMPTS = 3
_TIMEOUT = 300.0


@dataclasses.dataclass(frozen=True)
class BaseBranch:
    """A commit of the default branch: its files, and where proposals on it go.

    `prefix` leads from git's top folder to the repository of gen-env (`deploy/`, or nothing).
    """

    root: Path
    tree: History
    prefix: str
    branch: str
    base: str
    remote: str | None
    files: Snapshot
    found: Catalogue
    settings: Settings

    def definition(self, name: str) -> Definition:
        """The definition of an environment; raises UserError for one that is not here or broken."""
        found = self.found.chosen([name])
        if not found:
            problem = next(item for item in self.found.problems if item.environment == name)
            raise UserError.of(problem)
        return found[0]

    @property
    def policy(self) -> str:
        """Whose policy counts for what starts here."""
        return f"{SETTINGS} of {self.branch} at {self.base[:12]}"

    def inside(self, path: str) -> str:
        """A path of the repository as git has it."""
        return f"{self.prefix}{path}"

    def unsaved(self, *names: str) -> tuple[str, ...]:
        """Files of these environments that differ in the work tree: they are not taken along."""
        folders = [self.inside(f"{ROOT}/{name}") for name in names]
        if self.tree.head() is None:
            return ()
        return tuple(self.tree.changed(folders))


def base_branch(root: Path, *, fetch: bool) -> BaseBranch:
    """The newest state of the default branch that is known here; `fetch` asks the remote first.

    Raises UserError where there is no git, no such branch, no settings, or no way to the remote.
    """
    tree = Worktree.find(root)
    prefix = root.resolve().relative_to(tree.root.resolve()).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    here = toolchain.settings(WorkTree(root))
    branch = tree.default_branch(here.repository.branch if here else "")
    remote = remote_of(tree)
    if fetch:
        if remote is None:
            raise UserError(
                "this repository has no remote to push to", hint="git remote add origin URL"
            )
        _refresh(tree, remote, branch)
    base = _base(tree, remote, branch)
    return at_commit(root, tree, prefix, branch, base, remote)


def at_commit(
    root: Path, tree: History, prefix: str, branch: str, base: str, remote: str | None
) -> BaseBranch:
    """The branch as it is at a commit; raises UserError where its settings are broken."""
    files = diff.at_revision(tree, base, prefix)
    found = catalogue.load(files)
    if found.settings is None:
        problem = found.problems[0]
        raise UserError.of(problem, f"{branch} at {base[:12]}: ")
    return BaseBranch(root, tree, prefix, branch, base, remote, files, found, found.settings)


def _refresh(tree: History, remote: str, branch: str) -> None:
    """Have origin/<branch> say what the remote says, as `git fetch` would."""
    sha = fetch_branch(tree, remote, branch)
    if sha is None:
        raise UserError(
            f"{remote} has no branch {branch}", hint="push it, or set repository.branch"
        )
    tree.git.run("update-ref", f"refs/remotes/{remote}/{branch}", sha)


def remote_of(tree: Worktree) -> str | None:
    """The remote that proposals go to: origin, or the only one."""
    names = tree.remotes()
    if "origin" in names:
        return "origin"
    return names[0] if len(names) == 1 else None


def fetch_branch(tree: History, remote: str, branch: str) -> str | None:
    """Bring a branch of the remote here; its commit, or None when the remote has none.

    Only objects arrive: no ref is written, so that two of us in one clone never meet. Raises
    RemoteError when the remote cannot be reached or refuses.
    """
    for _ in range(_ATTEMPTS):
        sha = _listed(tree, remote, branch)
        if sha is None:
            return None
        done = tree.git.run(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
            "--refmap=", remote, f"refs/heads/{branch}",
            check=False, timeout=_TIMEOUT,
        )  # fmt: skip
        here = tree.git.run("cat-file", "-e", f"{sha}^{{commit}}", check=False).status == 0
        if here:
            return sha
        if done.status != 0 and "couldn't find remote ref" not in words_of(done):
            message = f"cannot fetch {branch} from {remote}: {safe(words_of(done, 4))}"
            raise RemoteError(message, Fault.PASSING)
    message = f"{branch} at {remote} keeps changing during the fetch"
    raise RemoteError(message, Fault.PASSING, hint="try again")


def _listed(tree: History, remote: str, branch: str) -> str | None:
    listed = tree.git.run("ls-remote", "--heads", remote, f"refs/heads/{branch}", check=False)
    if listed.status != 0:
        raise RemoteError(
            f"cannot read {remote}: {safe(words_of(listed, 4))}",
            Fault.PASSING,
            hint="check the network and your git credentials",
        )
    return listed.stdout.decode().partition("\t")[0].strip() or None


def safe(words: str) -> str:
    """What git said, without credentials in addresses."""
    return _URL.sub(lambda match: display_url(match[0]), words)


def _base(tree: History, remote: str | None, branch: str) -> str:
    for ref in (f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}"):
        if remote is None and ref.startswith("refs/remotes/"):
            continue
        commit = tree.git.line_or_none("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}")
        if commit is not None:
            return commit
    raise UserError(
        f"branch '{branch}' not found",
        hint="set repository.branch in gen-env.yaml, or fetch it",
    )
