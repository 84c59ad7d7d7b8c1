"""A check that could not be made: told, never taken for passed."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class NotDone:
    """Which check, why it was not made, and what would make it possible."""

    check: str
    reason: str
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """The documented shape of an entry of `notDone`."""
        return {"check": self.check, "reason": self.reason, "hint": self.hint}
