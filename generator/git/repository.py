"""The user's own repository through GitPython: remotes, and git as the user has set it up.

Refs and commits go through `repo.git`, not through GitPython's objects: those know neither SHA-256
object ids nor reftable, and give a branch named `.invalid` for the latter. Only for repositories
that the user works in; what comes from elsewhere is read by `command` and `revision`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from generator.core import process
from generator.core.errors import UserError
from generator.core.process import CommandError, Completed
from generator.git.command import OUTER, SETTINGS, one_line, words_of

if TYPE_CHECKING:
    from git import Repo

_ENVIRONMENT = threading.RLock()


@contextlib.contextmanager
def opened(root: Path) -> Iterator[Repo]:
    """The repository whose work tree is at `root`; UserError when there is none, or no git."""
    with _own_environment():
        from git import Repo
        from git.exc import InvalidGitRepositoryError, NoSuchPathError

        try:
            repo = Repo(root, expand_vars=False)
        except (InvalidGitRepositoryError, NoSuchPathError):
            raise UserError(
                f"{root} is not a git work tree", hint="run it in your repository, or use -C"
            ) from None
        with contextlib.closing(repo):
            repo.git.update_environment(**SETTINGS)
            yield repo


def create(root: Path, branch: str) -> None:
    """Make a new repository in the folder `root`, its first branch named `branch`."""
    with _own_environment():
        from git import Git
        from git.exc import GitCommandError

        try:
            Git().execute(["git", "init", "--quiet", f"--initial-branch={branch}", "--", str(root)])
        except GitCommandError as error:
            words = str(error.stderr).strip()
            raise UserError(f"cannot make a git repository in {root}: {words}") from None


def run(
    repo: Repo, *arguments: str, stdin: bytes = b"", check: bool = True, timeout: float = 120.0
) -> Completed:
    """Run `git ARGUMENTS` in the work tree, hooks, signing and filters included.

    Raises CommandError when it runs out of time or, with `check`, fails.
    """
    # GitPython takes `$X` in a folder's name for a variable, and where there is no such folder it
    # works in the present one: git is told itself.
    running = repo.git.execute(
        ["git", "-C", str(repo.working_dir), *arguments],
        as_process=True, istream=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert running.proc is not None
    completed = process.finish(running.proc, "git", stdin, timeout)
    if check and completed.status != 0:
        raise CommandError(f"git: {words_of(completed)}", status=completed.status)
    return completed


def line_or_none(repo: Repo, *arguments: str) -> str | None:
    """The one line that git prints, None when it fails or prints nothing."""
    completed = run(repo, *arguments, check=False)
    return (one_line(completed) or None) if completed.status == 0 else None


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """The environment without what a surrounding git set for its own repository.

    GitPython reads the environment of this process and hands it on: one thread at a time.
    """
    if shutil.which("git") is None:  # GitPython could not even be imported
        raise process.missing("git", "not found")
    with _ENVIRONMENT:
        outer = {name: os.environ.pop(name) for name in OUTER if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(outer)
