"""Why a pull request is checked, what people allowed for it, and how the check ends."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from service.model.job import State

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
class CheckOutcome:
    """How it ended. `summary` is one line for people; an empty report is not kept.

    `environments` maps an environment's name to a state. Neutral: nothing of ours is touched, or
    there was nothing to judge.
    """

    state: State
    summary: str
    head_sha: str = ""
    json_report: str = ""
    report_html: str = ""
    environments: Mapping[str, str] = dataclasses.field(default_factory=dict)
