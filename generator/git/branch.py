"""Making a branch and, when what it was for fails, being back as if nothing had happened."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from generator.git.command import refuse_option, words_of
from generator.git.repository import line_or_none, opened, run

if TYPE_CHECKING:
    from git import Repo


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """Where HEAD is: on a branch (possibly without a commit yet) or, detached, at a commit."""

    branch: str | None
    commit: str | None


def position(repo: Repo) -> Position:
    """Where HEAD is now."""
    return Position(
        branch=line_or_none(repo, "symbolic-ref", "--quiet", "--short", "HEAD"),
        commit=line_or_none(repo, "rev-parse", "--quiet", "--verify", "HEAD^{commit}"),
    )


def exists(repo: Repo, name: str) -> bool:
    """Whether there is a local branch of that name."""
    ref = f"refs/heads/{name}"
    return run(repo, "show-ref", "--quiet", "--verify", ref, check=False).status == 0


def create(repo: Repo, name: str, base: str = "") -> None:
    """Make a branch at HEAD and switch to it; files and index stay exactly as they are.

    With `base`, a commit, it begins there, and changes of the work tree come along.

    Works on a dirty tree, a detached HEAD and before the first commit. Raises UserError when the
    name is not valid or taken.
    """
    refuse_option(name, "branch name")
    if run(repo, "check-ref-format", "--branch", name, check=False).status != 0:
        raise UserError(f"invalid branch name {name!r}", hint="choose another with --branch")
    if exists(repo, name):
        raise UserError(
            f"branch '{name}' already exists",
            hint="switch to it, delete it, or choose another with --branch",
        )
    done = run(
        repo,
        "switch",
        "--quiet",
        "--no-guess",
        "--create",
        name,
        *filter(None, [base]),
        check=False,
    )
    if done.status != 0:
        raise UserError(
            f"cannot create the branch {name}: {words_of(done, 1)}",
            hint="choose another with --branch",
        )


def switch(repo: Repo, to: Position) -> None:
    """Go to that branch or commit; raises UserError when changes in the work tree forbid it."""
    if to.commit is None:
        # Before the first commit HEAD is nothing but a name.
        run(repo, "symbolic-ref", "HEAD", f"refs/heads/{to.branch}")
        return
    where = ["--no-guess", to.branch] if to.branch else ["--detach", to.commit]
    done = run(repo, "switch", "--quiet", *where, check=False)
    if done.status != 0:
        raise UserError(f"cannot switch to {to.branch or to.commit}: {words_of(done)}")


def delete(repo: Repo, name: str) -> None:
    """Delete a local branch, merged or not."""
    run(repo, "branch", "--quiet", "-D", "--", name)


def _back(repo: Repo, before: Position) -> None:
    """Return HEAD to where it was; without a new commit that touches neither files nor index.

    So it succeeds beside a lock on the index, which may be what has failed.
    """
    if before.commit is None or position(repo).commit != before.commit:
        switch(repo, before)
    elif before.branch is not None:
        run(repo, "symbolic-ref", "HEAD", f"refs/heads/{before.branch}")
    else:
        run(repo, "update-ref", "--no-deref", "HEAD", before.commit)


@contextlib.contextmanager
def new_branch(root: Path, name: str, base: str = "") -> Iterator[None]:
    """Work on a new branch; when the block fails the branch is gone and HEAD where it was.

    A commit made in the block goes with the branch. Files that the block wrote and did not commit
    are left: they are the block's to remove.
    """
    with opened(root) as repo:
        before = position(repo)
        create(repo, name, base)
    try:
        yield
    except BaseException:
        with opened(root) as repo:
            _back(repo, before)
            if exists(repo, name):
                delete(repo, name)
        raise
