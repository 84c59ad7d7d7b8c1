"""What a remote did not do, and whether another attempt may help."""

from __future__ import annotations

import enum

from generator.core.errors import UserError


class Fault(enum.Enum):
    """Why a remote failed: the ref is gone, another attempt may help, or it will not."""

    GONE = "gone"
    PASSING = "passing"
    LASTING = "lasting"


class RemoteError(UserError):
    """A fetch or a push that failed; `fault` says whether another attempt may help."""

    def __init__(self, message: str, fault: Fault, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
