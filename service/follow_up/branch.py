"""The default branch in the mirror, fetched again when it has moved; and a place for proposals."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.process import CommandError
from generator.forge.errors import Unavailable
from generator.git.errors import Fault, RemoteError
from generator.git.mirror import Mirror
from generator.git.worktree import Store
from generator.promotion.base_branch import BaseBranch, at_commit
from service.check import mirror
from service.check.regenerate import IDENTITY, outward
from service.check.reporter import Superseded
from service.follow_up.task import Task

_REMOTE = "origin"
_BACKOFF = 10.0
"""Seconds between two fetches for commits that are not here yet."""


@dataclasses.dataclass
class Branch:
    """The branch that Argo CD follows, as one run sees it."""

    task: Task
    mirror: Mirror
    ref: str
    fetched: float = 0.0

    @property
    def head(self) -> str:
        """The newest commit that is known here."""
        found = self.mirror.resolve(self.ref)
        if found is None:
            raise UserError(f"branch '{self.task.connection.branch}' not found")
        return found

    @property
    def tree(self) -> Store:
        """The mirror as the generator reads repositories."""
        return Store(self.mirror.gitdir, self.mirror.git)

    def refresh(self) -> None:
        """Fetch, unless that was done a moment ago; a forge that is away is passed over."""
        if time.monotonic() - self.fetched < _BACKOFF:
            return
        with contextlib.suppress(UserError):
            self.fetch()

    def fetch(self) -> None:
        """Fetch; raises Unavailable where trying again may help, UserError where it does not."""
        branch = self.task.connection.branch
        try:
            mirror.fetch(self.mirror, self.task.context, [f"+refs/heads/{branch}:{self.ref}"])
        except Superseded:
            raise UserError(
                f"branch '{branch}' not found on the forge", hint="set branch"
            ) from None
        self.fetched = time.monotonic()

    def holds(self, older: str, newer: str) -> bool:
        """Whether the newer commit is here and contains the older one."""
        git = self.mirror.git
        return git.run("merge-base", "--is-ancestor", older, newer, check=False).status == 0

    def files(self, sha: str) -> Snapshot:
        """What gen-env reads of a commit, the chart that it may carry included."""
        return mirror.files_of(self.mirror, sha)


@contextlib.contextmanager
def branch(task: Task) -> Iterator[Branch]:
    """The branch, fetched now; its commits stay in the mirror for as long as the block lasts."""
    ref = f"{mirror.space_of(task.context.run_id)}/branch"
    found = Branch(task, mirror.open_mirror(task.context), ref)
    try:
        found.fetch()
        yield found
    finally:
        found.mirror.drop([found.ref])


@contextlib.contextmanager
def workspace(task: Task) -> Iterator[BaseBranch]:
    """The newest commit of the default branch, and a remote to push proposals to.

    What a proposal writes (objects, branches) goes into a folder that is gone at the end; what is
    there already is read from the mirror. Raises Unavailable where trying again may help.
    """
    with branch(task) as here, tempfile.TemporaryDirectory(prefix="gen-env-") as folder:
        own = Mirror.open(Path(folder) / "proposal.git")
        alternates = own.gitdir / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{(here.mirror.gitdir / 'objects').absolute()}\n", "utf-8")
        remote = {f"remote.{_REMOTE}.url": task.connection.git_url(task.context.repository)}
        git = outward(own, task.context, remote)
        tree = Store(own.gitdir, git.with_environment(IDENTITY))
        with _retryable():
            yield at_commit(own.gitdir, tree, "", task.connection.branch, here.head, _REMOTE)


@contextlib.contextmanager
def _retryable() -> Iterator[None]:
    try:
        yield
    except RemoteError as error:
        if error.fault is not Fault.PASSING:
            raise
        message = error.message
    except CommandError as error:
        if not error.timed_out:
            raise
        message = error.message
    else:
        return
    raise Unavailable(message, hint="gen-env tries again", written=True)
