"""The six words for an object's health, and the verdict made of one of them and a reason."""

from __future__ import annotations

import dataclasses
import enum


class Status(enum.StrEnum):
    """Argo CD's health codes (gitops-engine/pkg/health/health.go)."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """One judgement: a status, and a message that a person can act on."""

    status: Status
    message: str = ""


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
