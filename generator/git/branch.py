"""Making a branch and, when what it was for fails, being back as if nothing had happened."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from generator.core.errors import UserError
from generator.git.command import Git, refuse_option, words_of


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """Where HEAD is: on a branch (possibly without a commit yet) or, detached, at a commit."""

    branch: str | None
    commit: str | None


def position(git: Git) -> Position:
    """Where HEAD is now."""
    return Position(
        branch=git.line_or_none("symbolic-ref", "--quiet", "--short", "HEAD"),
        commit=git.line_or_none("rev-parse", "--quiet", "--verify", "HEAD^{commit}"),
    )


def exists(git: Git, name: str) -> bool:
    """Whether there is a local branch of that name."""
    ref = f"refs/heads/{name}"
    return git.run("show-ref", "--quiet", "--verify", ref, check=False).status == 0


def create(git: Git, name: str) -> None:
    """Make a branch at HEAD and switch to it; files and index stay exactly as they are.

    Works on a dirty tree, a detached HEAD and before the first commit. Raises UserError when the
    name is not valid or taken.
    """
    refuse_option(name, "name for a branch")
    if git.run("check-ref-format", "--branch", name, check=False).status != 0:
        raise UserError(f"{name!r} is no name for a branch", hint="choose another with --branch")
    if exists(git, name):
        raise UserError(
            f"the branch {name} exists already",
            hint="switch to it, delete it, or choose another with --branch",
        )
    done = git.run("switch", "--quiet", "--no-guess", "--create", name, check=False)
    if done.status != 0:
        raise UserError(
            f"cannot create the branch {name}: {words_of(done, 1)}",
            hint="choose another with --branch",
        )


def switch(git: Git, to: Position) -> None:
    """Go to that branch or commit; raises UserError when changes in the work tree forbid it."""
    if to.commit is None:
        # Before the first commit HEAD is nothing but a name.
        git.run("symbolic-ref", "HEAD", f"refs/heads/{to.branch}")
        return
    where = ["--no-guess", to.branch] if to.branch else ["--detach", to.commit]
    done = git.run("switch", "--quiet", *where, check=False)
    if done.status != 0:
        raise UserError(f"cannot switch to {to.branch or to.commit}: {words_of(done)}")


def delete(git: Git, name: str) -> None:
    """Delete a local branch, merged or not."""
    git.run("branch", "--quiet", "-D", "--", name)


def _back(git: Git, before: Position) -> None:
    """Return HEAD to where it was; without a new commit that touches neither files nor index.

    So it succeeds beside a lock on the index, which may be what has failed.
    """
    if before.commit is None or position(git).commit != before.commit:
        switch(git, before)
    elif before.branch is not None:
        git.run("symbolic-ref", "HEAD", f"refs/heads/{before.branch}")
    else:
        git.run("update-ref", "--no-deref", "HEAD", before.commit)


@contextlib.contextmanager
def new_branch(git: Git, name: str) -> Iterator[None]:
    """Work on a new branch; when the block fails the branch is gone and HEAD where it was.

    A commit made in the block goes with the branch. Files that the block wrote and did not commit
    are left: they are the block's to remove.
    """
    before = position(git)
    create(git, name)
    try:
        yield
    except BaseException:
        _back(git, before)
        if exists(git, name):
            delete(git, name)
        raise
