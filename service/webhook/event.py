"""What a delivery says, in the few words that matter to us."""

from __future__ import annotations

import dataclasses
import enum

from service.webhook.command import Command


class PullAction(enum.StrEnum):
    """What happened to a pull request; EDITED: its base branch or its draft state changed,
    LABELED: its labels did."""

    OPENED = "opened"
    UPDATED = "updated"
    REOPENED = "reopened"
    EDITED = "edited"
    LABELED = "labeled"
    CLOSED = "closed"
    MERGED = "merged"


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """The forge tries the address out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing that we act on; `why` is for the log."""

    why: str
    repository: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PullEvent:
    """A pull request changed. `merge_sha` stands only with MERGED, and may be missing there."""

    repository: str
    number: int
    action: PullAction
    head_sha: str
    base_ref: str
    merge_sha: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PushEvent:
    """A branch moved to `sha`, from `before` if the forge says so."""

    repository: str
    branch: str
    sha: str
    before: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class RerunEvent:
    """Someone asks for the check again; the pull requests may have to be found by the commit."""

    repository: str
    head_sha: str
    numbers: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeGroupEvent:
    """A merge queue wants a status on the commit that it is about to merge.

    `number` is the pull request that this step of the queue brings, 0 where that is not told.
    """

    repository: str
    head_sha: str
    base_sha: str
    base_ref: str
    number: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class CommentEvent:
    """Commands in a comment on a pull request; nothing is known yet of the author's rights."""

    repository: str
    number: int
    author: str
    commands: tuple[Command, ...]


Event = Ping | Ignored | PullEvent | PushEvent | RerunEvent | MergeGroupEvent | CommentEvent
