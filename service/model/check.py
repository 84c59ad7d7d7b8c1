"""What the service asks of the check of one pull request, and what it gets back."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from pathlib import Path

from generator.forge.port import ForgePort

STATUS_CONTEXT = "gen-env/check"
"""The name of our status on a head; the CI template sets the same one."""


class Reason(enum.StrEnum):
    """Why a check runs."""

    OPENED = "opened"
    UPDATED = "updated"
    REOPENED = "reopened"
    CLOSED = "closed"
    """Closed without a merge: it ends a running check, and is answered without a new one."""
    BASE_MOVED = "base-moved"
    RERUN = "rerun"
    COMMAND = "command"
    MERGE_GROUP = "merge-group"
    POLL = "poll"


class CheckState(enum.StrEnum):
    """How a check ended. Neutral: nothing of ours is touched, or there was nothing to judge."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    NEUTRAL = "neutral"
    SUPERSEDED = "superseded"


@dataclasses.dataclass(frozen=True, slots=True)
class Override:
    """A writer's word that this very commit may be merged although the check fails."""

    author: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Grants:
    """What writers allowed for the head of the request and for no other commit.

    `accepted` maps a rule (`impact/data-loss`) to the login of the writer who accepted it;
    `trusted_by` is the writer who said that a fork's commit may be rendered, or nothing.
    """

    accepted: Mapping[str, str] = dataclasses.field(default_factory=dict)
    override: Override | None = None
    trusted_by: str = ""

    def without(self, author: str) -> Grants:
        """The same without the accepts and the override of one person."""
        rest = {rule: by for rule, by in self.accepted.items() if not same_person(by, author)}
        override = self.override
        if override is not None and same_person(override.author, author):
            override = None
        return Grants(rest, override, self.trusted_by)


def same_person(one: str, other: str) -> bool:
    """Whether two logins are one: no forge tells them apart by case."""
    return one.casefold() == other.casefold()


@dataclasses.dataclass(frozen=True, slots=True)
class CheckContext:
    """The handles that a check works with; the worker makes them for each run.

    `git_token` answers with a fresh token, empty where none is configured (an App's expires);
    `is_current` is false as soon as a newer event of the same pull request was accepted: ask it
    before every write to the outside. `data_dir` is ours to
    keep mirrors and caches in, shared by all workers of this host.
    """

    forge: ForgePort
    git_url: str
    git_username: str
    git_token: Callable[[], str]
    data_dir: Path
    report_url: str
    is_current: Callable[[], bool]
    push_back: bool = True
    allow_http: bool = False
    """Plain http to the forge: true only where it was configured so."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckRequest:
    """One pull request to check at one commit.

    `head_sha` is what the event or the poll named; the check reads the pull request again and
    answers `superseded` when its head is another by now. It is empty where the event names no
    commit (a comment): then the check pins the head that it reads. A merge group has no number
    (0): `base_sha` and `head_sha` are all there is, and there is no comment to write.
    """

    connection: str
    repository: str
    number: int
    head_sha: str
    reason: Reason
    run_id: str
    report_id: str
    context: CheckContext
    base_sha: str = ""
    grants: Grants = dataclasses.field(default_factory=Grants)


@dataclasses.dataclass(frozen=True, slots=True)
class CheckOutcome:
    """How it ended. `summary` is one line for people; an empty report is not kept.

    `environments` maps an environment's name to one of the states above.
    """

    state: CheckState
    summary: str
    head_sha: str = ""
    json_report: str = ""
    report_html: str = ""
    environments: Mapping[str, str] = dataclasses.field(default_factory=dict)


Check = Callable[[CheckRequest], CheckOutcome]
"""The work on one pull request.

It sets the status (pending first) and the comment itself, and does it so that running it again
changes nothing. Raises UserError for what people must mend and is then not tried again;
`generator.forge.errors` that may pass (Unavailable, RateLimited) and anything else are tried again
with growing waits.
"""
