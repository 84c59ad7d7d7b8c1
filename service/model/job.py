"""Work as values: jobs with their keys and states, checks, what people allowed for them."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Mapping
from typing import Any

STATUS_CONTEXT = "gen-env/check"
"""The name of our status on a head; the CI template sets the same one."""


class Kind(enum.StrEnum):
    """The kinds of work."""

    CHECK = "check"
    COMMAND = "command"
    PUSH = "push"
    RERUN = "rerun"
    GATES = "gates"
    """Whether a pull request may merge now, as far as promotion goes."""
    MERGE = "merge"
    """Which environments a merged commit touches."""
    VERIFY = "verify"
    """Whether one environment took a merged commit."""
    VERDICTS = "verdicts"
    """The comment on a merged pull request."""
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    DRIFT = "drift"
    """What the clusters differ in from the default branch: of a repository, of an environment."""


class State(enum.StrEnum):
    """Where a run stands. DEAD is given up and waits for a person; RETRIED was, and had one."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    NEUTRAL = "neutral"
    SUPERSEDED = "superseded"
    DONE = "done"
    DEAD = "dead"
    RETRIED = "retried"


UNFINISHED = (State.QUEUED.value, State.RUNNING.value)


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """Something to do for one repository; `details` is plain JSON whose keys the kind decides."""

    kind: Kind
    connection: str
    repository: str
    number: int = 0
    reason: str = ""
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, row: Any) -> Job:
        """The job that a run or a reminder was made for."""
        facts = (row.connection, row.repository, row.number, row.reason, row.details)
        return cls(Kind(row.kind), *facts)

    @property
    def columns(self) -> dict[str, Any]:
        """What the tables hold of it."""
        return {**dataclasses.asdict(self), "kind": self.kind.value}

    @property
    def key(self) -> str:
        """What this is about: jobs with the same key never run side by side."""
        place = f"{self.connection}/{self.repository}"
        match self.kind:
            case Kind.CHECK if self.number:
                return pull_key(self.connection, self.repository, self.number)
            case Kind.COMMAND:
                return f"{place}#{self.number}:command"
            case Kind.PUSH:
                return f"{place}:push:{self.details.get('branch', '')}"
            case Kind.GATES | Kind.VERDICTS if self.number:
                return f"{place}#{self.number}:{self.kind}"
            case Kind.VERIFY if self.environment:
                return f"{verify_key(place, self.environment)}{self.details.get('sha', '')}"
            case Kind.PROMOTE:
                return f"{place}:promote:{self.environment}:{self.details.get('target', '')}"
            case Kind.ROLLBACK | Kind.DRIFT:
                return f"{place}:{self.kind}:{self.environment}"
            case _:
                return f"{place}:{self.kind}:{self.details.get('sha', '') or self.number}"

    @property
    def environment(self) -> str:
        """The environment that it is about; empty for kinds that are about none or several."""
        return str(self.details.get("environment", ""))


NEWEST_WINS = (
    Kind.CHECK, Kind.PUSH, Kind.GATES, Kind.VERDICTS, Kind.PROMOTE, Kind.ROLLBACK, Kind.DRIFT,
)  # fmt: skip
"""A new one ends the unfinished ones of its key: it reads everything that they would read."""
ONCE = (Kind.MERGE, Kind.VERIFY)
"""Dropped when its key has a run: a merge is heard of twice (merged, pushed) and verified once."""
FOLLOW_A_CLUSTER = (Kind.VERIFY.value, Kind.DRIFT.value)
"""They take minutes, and so must not stand in the others' way."""


def verify_key(place: str, environment: str = "") -> str:
    """How the keys of verifications begin: of `connection/repository`, of one environment."""
    return f"{place}:verify:{environment}:" if environment else f"{place}:verify:"


def pull_key(connection: str, repository: str, number: int) -> str:
    """The key of a pull request's checks and grants."""
    return f"{connection}/{repository}#{number}"


def run_id(key: str, seq: int) -> str:
    """The name of the seq-th run of a key: safe in URLs and file names."""
    return hashlib.sha256(f"{key}@{seq}".encode()).hexdigest()[:24]


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
