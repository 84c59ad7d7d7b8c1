"""The default branch in the mirror: read by commits, fetched again when it has moved."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.git.mirror import Mirror
from generator.git.worktree import Store
from service.check import mirror
from service.check.reporter import Superseded
from service.follow_up.task import Task

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
