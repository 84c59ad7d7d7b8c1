"""One alert, as data."""

from __future__ import annotations

import dataclasses
from typing import Literal

Severity = Literal["critical", "warning"]


@dataclasses.dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its name, when it fires, and how long before it pages."""

    name: str
    severity: Severity
    summary: str
    expression: str
    minutes: int
    component: str
    """The component to look at first."""
    meaning: str
    steps: tuple[str, ...]
    """What to look at, in this order."""
