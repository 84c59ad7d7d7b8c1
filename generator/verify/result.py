"""The shapes of an answer: conditions, causes, resources, and the verdict over them."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Iterable, Mapping

from generator.core.basis import Assurance, Basis
from generator.health.status import Health
from generator.kube.resource import Key
from generator.verify.conditions import require


class State(enum.StrEnum):
    """Where one condition stands."""

    MET = "met"
    WAITING = "waiting"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Outcome(enum.StrEnum):
    """The verdict in one word; `pending` is never the last one."""

    VERIFIED = "verified"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    SUPERSEDED = "superseded"
    NOT_SYNCED = "not-synced"
    PRUNE_CONFIRMATION = "prune-confirmation"
    UNKNOWN = "unknown"
    PENDING = "pending"


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold: what is so, what proves it, and since when it stands."""

    name: str
    state: State
    message: str
    evidence: str = ""
    time: str = ""

    @property
    def holds(self) -> bool:
        """Met, or nothing to meet."""
        return self.state in (State.MET, State.SKIPPED)


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """Why something fails, in the words of whoever refused: reason, object, message, last lines."""

    reason: str
    resource: str
    message: str
    log: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A rendered object as it is in the cluster."""

    key: Key
    api_version: str
    health: Health


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """How often a container was restarted, and when that was last seen to rise."""

    restarts: int
    rose_at: datetime.datetime | None = None


Counts = Mapping[tuple[str, str], Count]
"""By pod (its uid) and container."""


@dataclasses.dataclass(frozen=True, slots=True)
class Memory:
    """What the next judgement must know: what it would be, since when, and what was once proven."""

    candidate: Outcome
    since: datetime.datetime
    operation: str = ""
    seen: bool = False
    migrated: Condition | None = None
    restarts: Counts = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one commit of one environment.

    `verified` cannot be made from an incomplete basis: raises ValueError, see `Assurance`.
    """

    environment: str
    revision: str
    outcome: Outcome
    message: str
    conditions: tuple[Condition, ...]
    resources: tuple[Resource, ...]
    causes: tuple[Cause, ...]
    memory: Memory
    basis: Basis

    def __post_init__(self) -> None:
        if self.outcome is Outcome.VERIFIED:
            Assurance(self.message, self.basis)

    @property
    def summary(self) -> str:
        """Outcome, message and, where something was rendered, by which versions: in one line."""
        message = f"{self.outcome.value}: {self.message}" if self.message else self.outcome.value
        return f"{message} ({self.basis.line})" if self.basis.chart.version else message

    @property
    def is_final(self) -> bool:
        """Whether looking again cannot change it for the better."""
        return self.outcome is not Outcome.PENDING

    def as_json(self) -> dict[str, object]:
        """The documented shape of `gen-env verify -o json`."""
        return {
            "environment": self.environment,
            "revision": self.revision,
            "verdict": self.outcome.value,
            "message": self.message,
            "basis": self.basis.as_json(),
            "conditions": [_condition_json(item) for item in self.conditions],
            "resources": [_resource_json(item) for item in self.resources],
            "diagnosis": [
                dataclasses.asdict(item) | {"log": list(item.log)} for item in self.causes
            ],
        }


def met(name: str, message: str, evidence: str = "") -> Condition:
    """Proven."""
    require(name, "met")
    return Condition(name, State.MET, message, evidence)


def waiting(name: str, message: str, evidence: str = "") -> Condition:
    """Not yet."""
    require(name, "waiting")
    return Condition(name, State.WAITING, message, evidence)


def failed(name: str, message: str, evidence: str = "") -> Condition:
    """It will not come about by waiting."""
    require(name, "failed")
    return Condition(name, State.FAILED, message, evidence)


def unknown(name: str, message: str) -> Condition:
    """It cannot be seen from here."""
    return Condition(name, State.UNKNOWN, message)


def skipped(name: str, message: str) -> Condition:
    """Nothing of the kind is rendered."""
    return Condition(name, State.SKIPPED, message)


def few(names: Iterable[str], limit: int = 3) -> str:
    """The first few of them in words: `a, b, c and 4 more`."""
    listed = list(dict.fromkeys(names))
    rest = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + rest


def _condition_json(condition: Condition) -> dict[str, str]:
    return {
        "name": condition.name,
        "status": condition.state.value,
        "message": condition.message,
        "evidence": condition.evidence,
        "time": condition.time,
    }


def _resource_json(resource: Resource) -> dict[str, str]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.key.kind,
        "namespace": resource.key.namespace,
        "name": resource.key.name,
        "status": resource.health.status.value,
        "message": resource.health.message,
    }
