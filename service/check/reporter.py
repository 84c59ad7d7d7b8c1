"""Every word to the outside: asked for beforehand, never said twice, never for a stale head."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac

from generator.forge.port import Check as ForgeCheck
from generator.forge.port import CheckState, PullRequest, PullState
from service.check.request import CheckRequest
from service.model.check import STATUS_CONTEXT


class Superseded(Exception):
    """Somebody or something newer has taken over: end, and write nothing more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
    return Target(
        number=pull.number,
        head=pull.head_sha,
        base_ref=pull.base_ref,
        branch="" if fork or pull.head_ref == pull.base_ref else pull.head_ref,
        trusted=not fork or bool(request.grants.trusted_by),
        author=pull.author,
        fork=fork,
    )
