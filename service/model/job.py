"""What there is to do: jobs as values, their keys, and the states a run of one goes through."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Mapping
from typing import Any


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
