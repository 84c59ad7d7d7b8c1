"""Failures of remotes and mirrors, and whether another attempt may help."""

from __future__ import annotations

import enum

from generator.core.errors import UserError


class Fault(enum.Enum):
    """What a failure means: the ref is gone, another attempt may help, or none will."""

    GONE = "gone"
    PASSING = "passing"
    LASTING = "lasting"


class RemoteError(UserError):
    """A fetch or push that failed, or a mirror or branch that others kept busy."""

    def __init__(self, message: str, fault: Fault, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
