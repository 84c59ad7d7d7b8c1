"""What exactly is checked: which commit, into which branch, and how far it is trusted."""

from __future__ import annotations

import dataclasses

from service.check.reporter import Reporter
from service.model.check import CheckRequest


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One commit to check.

    `base_ref` is the branch that it is to go into, empty for a merge group. `branch` is the branch
    of this repository that it stands on, empty where a push is out of the question. `trusted` says
    that its values may be rendered.
    """

    number: int
    head: str
    base_ref: str = ""
    branch: str = ""
    trusted: bool = True
    author: str = ""

    @property
    def group(self) -> bool:
        """Whether this is a merge group: what a queue is about to merge, approved already."""
        return not self.number


def target_of(request: CheckRequest, reporter: Reporter) -> Target:
    """Read the pull request again and pin its head; raises Superseded for a stale request."""
    if not request.number:
        reporter.ask()
        return Target(0, request.head_sha)
    pull = reporter.pull()
    fork = pull.from_fork
    return Target(
        number=pull.number,
        head=pull.head_sha,
        base_ref=pull.base_ref,
        branch="" if fork or pull.head_ref == pull.base_ref else pull.head_ref,
        trusted=not fork or bool(request.grants.trusted_by),
        author=pull.author,
    )
