"""Repositories: what they hold, and in the user's own, commits that disturb nothing."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
from collections.abc import Iterable
from pathlib import Path

from generator.core.errors import UserError
from generator.git import branch, command, commit, repository
from generator.git.command import Git
from generator.git.revision import Revision
from generator.git.url import display_url


@dataclasses.dataclass(frozen=True, slots=True)
class History(abc.ABC):
    """Commits and the files that they hold; nothing is checked out to read them."""

    root: Path

    @property
    @abc.abstractmethod
    def git(self) -> Git:
        """git in this repository."""

    def changed(self, paths: Iterable[str]) -> list[str]:
        """Files among `paths` that differ from HEAD: none where there is no work tree."""
        return []

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        return self.git.line_or_none("rev-parse", "--quiet", "--verify", "HEAD^{commit}")

    def branch(self) -> str | None:
        """The branch that is checked out; None when HEAD is detached."""
        return self.git.line_or_none("symbolic-ref", "--quiet", "--short", "HEAD")

    def default_branch(self, configured: str = "") -> str:
        """The branch that others merge into: as configured, origin's, main, master or this one."""
        if configured:
            return configured
        git = self.git
        if theirs := git.line_or_none("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"):
            return theirs.removeprefix("refs/remotes/origin/")
        for name in ("main", "master"):
            if self._commit(f"refs/heads/{name}") or self._commit(f"refs/remotes/origin/{name}"):
                return name
        if name_here := self.branch():
            return name_here
        raise UserError(
            "cannot tell the default branch", hint="set repository.branch in gen-env.yaml"
        )

    def resolve(self, revision: str) -> str:
        """The full id of the commit that `revision` names; UserError when there is none."""
        command.refuse_option(revision, "revision")
        commit = self._commit(revision)
        if commit is None:
            raise UserError(f"revision '{revision}' not found", hint=self._hint(revision))
        return commit

    def merge_base(self, left: str, right: str) -> str:
        """The newest commit that both revisions contain; UserError when they share none."""
        left_commit, right_commit = self.resolve(left), self.resolve(right)
        base = self.git.line_or_none("merge-base", left_commit, right_commit)
        if base is None:
            hint = _DEEPEN if self.is_shallow() else ""
            names = f"{_brief(left)} and {_brief(right)}"
            raise UserError(f"{names} have no commit in common", hint=hint)
        return base

    def left_at(self, branch: str, revision: str) -> str:
        """The newest commit that `revision` shares with a branch, be it ours or origin's.

        The branch here may be older than origin's, or absent as in CI. UserError as `merge_base`.
        """
        known = [name for name in (branch, f"origin/{branch}") if self._commit(name)]
        if len(known) < 2:
            return self.merge_base(known[0] if known else branch, revision)
        # Of several, git takes what the first shares with a merge of all the others.
        commits = [self.resolve(name) for name in (revision, *known)]
        return self.git.line_or_none("merge-base", *commits) or self.merge_base(branch, revision)

    def is_shallow(self) -> bool:
        """Whether history was cut off when this repository was cloned."""
        return self.git.line("rev-parse", "--is-shallow-repository") == "true"

    def at(self, revision: str) -> Revision:
        """The files of a revision, read without checking anything out."""
        return Revision(self.git, self.resolve(revision))

    def _commit(self, revision: str) -> str | None:
        return self.git.line_or_none(
            "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"
        )

    def _hint(self, revision: str) -> str:
        if self._commit(f"refs/remotes/origin/{revision}"):
            return f"there is origin/{revision}: use that, or git switch {revision} first"
        return _DEEPEN if self.is_shallow() else "git fetch brings what others have pushed"


@dataclasses.dataclass(frozen=True, slots=True)
class Store(History):
    """Objects and refs without a work tree, asked through the git that is given."""

    access: Git

    @property
    def git(self) -> Git:
        """git as it was given: with its own settings, protocols and credentials."""
        return self.access


@dataclasses.dataclass(frozen=True, slots=True)
class Worktree(History):
    """The user's own work tree by its top folder; paths are relative to it, with forward slashes.

    What is read at every command goes to git directly; remotes, changes, branches and commits go
    through GitPython.
    """

    @classmethod
    def find(cls, path: Path) -> Worktree:
        """The work tree that holds `path`; UserError when there is none, or no git at all."""
        if not path.is_dir():
            raise UserError(f"folder {path} not found")
        git = command.in_worktree(path)
        done = git.run("rev-parse", "--show-toplevel", check=False)
        if done.status == 0:
            return cls(Path(command.one_line(done)))
        words = command.words_of(done)
        if "must be run in a work tree" in words:
            raise UserError(f"{path} is a bare repository", hint="work in a clone of it")
        if "not a git repository" in words:
            raise UserError(
                f"{path} is not inside a git repository",
                hint="run it in your repository, or use -C",
            )
        raise UserError(f"git cannot work in {path}: {words}")

    @property
    def git(self) -> Git:
        """git in this work tree, as the user has set it up."""
        return command.in_worktree(self.root)

    def remotes(self) -> list[str]:
        """The names of the remotes."""
        with repository.opened(self.root) as repo:
            return sorted(remote.name for remote in repo.remotes)

    def remote_url(self, name: str = "origin") -> str | None:
        """The address of a remote without credentials; None when there is no such remote."""
        with repository.opened(self.root) as repo:
            urls = [getattr(remote, "url", "") for remote in repo.remotes if remote.name == name]
        return display_url(urls[0]) if urls and urls[0] else None

    def changed(self, paths: Iterable[str]) -> list[str]:
        """Files among `paths` (files or folders) that differ from HEAD or are untracked."""
        with repository.opened(self.root) as repo:
            return commit.changed(repo, paths)

    def commit_only(self, paths: Iterable[str], message: str) -> str:
        """Commit these paths alone and return the commit: see `commit.commit_only`."""
        with repository.opened(self.root) as repo:
            return commit.commit_only(repo, paths, message)

    def new_branch(self, name: str, base: str = "") -> contextlib.AbstractContextManager[None]:
        """Work on a new branch that is gone again when the block fails; see `branch.create`."""
        return branch.new_branch(self.root, name, base)

    def switch(self, name: str) -> None:
        """Go to a branch that exists; UserError when changes in the work tree forbid it."""
        command.refuse_option(name, "branch")
        position = branch.Position(name, self.resolve(f"refs/heads/{name}"))
        with repository.opened(self.root) as repo:
            branch.switch(repo, position)


def _brief(revision: str) -> str:
    return revision[:12] if len(revision) >= 40 else revision


_DEEPEN = "this clone is shallow: git fetch --unshallow brings the history (fetch-depth: 0 in CI)"
