"""What a check is asked, and its every word to the outside: never twice, never for a stale head."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState, ForgePort, PullRequest, PullState
from service.model.job import STATUS_CONTEXT, CheckOutcome, Grants
from service.settings.schema import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """A run's handles on one repository.

    `is_current` is false as soon as a newer event of the same thing was accepted: ask it before
    every write to the outside. `data_dir` is shared by all workers of this host.
    """

    connection: Connection
    repository: str
    run_id: str
    forge: ForgePort
    data_dir: Path
    report_url: str
    is_current: Callable[[], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class CheckRequest:
    """One pull request to check at `head_sha`: the answer is `superseded` when its head is another
    by now. A merge group has no number (0), a `base_sha`, and no comment to write.
    """

    context: Context
    number: int
    head_sha: str
    base_sha: str = ""
    grants: Grants = dataclasses.field(default_factory=Grants)


Check = Callable[[CheckRequest], CheckOutcome]
"""The work on one pull request.

It sets the status (pending first) and the comment itself, and does it so that running it again
changes nothing. Raises UserError for what people must mend and is then not tried again;
`generator.forge.errors` that may pass (Unavailable, RateLimited) and anything else are tried again
with growing waits.
"""


class Superseded(Exception):
    """Somebody or something newer has taken over: end, and write nothing more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reporter:
    """The forge as one run may use it; every method raises Superseded for a run that is stale."""

    request: CheckRequest
    marker_key: bytes

    def pull(self) -> PullRequest:
        """The pull request as it is now: open, and at the head that is to be checked."""
        self.ask()
        pull = self.request.context.forge.get_pr(self.request.number)
        if pull.state is not PullState.OPEN:
            raise Superseded(f"the pull request is {pull.state.value}")
        if self.request.head_sha and pull.head_sha != self.request.head_sha:
            raise Superseded("the pull request has a newer head")
        return pull

    def ask(self) -> None:
        """Whether this run is still the one to speak."""
        if not self.request.context.is_current():
            raise Superseded("a newer event of this pull request has superseded this one")

    def status(
        self, sha: str, state: CheckState, title: str, shown: ForgeCheck | None = None
    ) -> None:
        """Set our one status on a commit; `shown` may carry text and annotations for it."""
        self.ask()
        url = self.request.context.report_url
        check = shown or ForgeCheck(STATUS_CONTEXT, state, title, url=url)
        self.request.context.forge.report_check(sha, check)

    def comment(self, body: str) -> None:
        """Write or edit our one comment."""
        self.ask()
        self.request.context.forge.upsert_comment(self.request.number, self.marker, body)

    @property
    def marker(self) -> str:
        """What our comment is known by: nobody without the key can make one for this request."""
        return marker_of(self.marker_key, self.request.context.repository, self.request.number)


def marker_of(key: bytes, repository: str, number: int, *more: str) -> str:
    """The marker of our comment on a pull request; `more` tells several of them apart."""
    words = "\n".join((repository, str(number), *more)).encode()
    digest = hmac.new(key, words, hashlib.sha256).hexdigest()[:40]
    return f"<!-- gen-env {digest} -->"


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One commit to check, and the branch that it is to go into (none for a merge group).

    `branch` is the one of this repository that it stands on, empty where a push is out of the
    question. `trusted` says that its values may be rendered.
    """

    number: int
    head: str
    base_ref: str = ""
    branch: str = ""
    trusted: bool = True
    author: str = ""
    fork: bool = False

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
    branch = "" if fork or pull.head_ref == pull.base_ref else pull.head_ref
    trusted = not fork or bool(request.grants.trusted_by)
    place = (pull.number, pull.head_sha, pull.base_ref, branch)
    return Target(*place, trusted=trusted, author=pull.author, fork=fork)
