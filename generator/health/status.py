"""The six words for an object's health, and the verdict made of one of them and a reason."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable


class Status(enum.StrEnum):
    """Argo CD's health codes (gitops-engine/pkg/health/health.go)."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


_BADNESS = {status: index for index, status in enumerate(Status)}


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """One judgement: a status, and a message that a person can act on."""

    status: Status
    message: str = ""


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of them in Argo CD's order; Healthy when there is none."""
    return max(statuses, key=_BADNESS.__getitem__, default=Status.HEALTHY)


def healthy(message: str) -> Health:
    """Nothing to do."""
    return Health(Status.HEALTHY, message)


def progressing(message: str) -> Health:
    """Not there yet, and nothing says that it will not get there."""
    return Health(Status.PROGRESSING, message)


def degraded(message: str) -> Health:
    """Failed, or out of the time that it was given."""
    return Health(Status.DEGRADED, message)


def suspended(message: str) -> Health:
    """Somebody stopped it on purpose."""
    return Health(Status.SUSPENDED, message)


def unknown(message: str) -> Health:
    """The object says nothing that we understand."""
    return Health(Status.UNKNOWN, message)
