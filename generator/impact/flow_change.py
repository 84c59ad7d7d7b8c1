"""What a change opens or closes between two ends, as a value."""

from __future__ import annotations

import dataclasses
from typing import Any

Between = tuple[str, ...]
"""The open ports, in words; empty if every port is closed."""


@dataclasses.dataclass(frozen=True, slots=True)
class FlowChange:
    """Ports on which the sources may reach the targets, before and after.

    `still_open` are parts of a closed network that stay open.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    before: Between
    after: Between
    still_open: tuple[str, ...] = ()

    def __str__(self) -> str:
        sources, targets = ", ".join(self.sources), ", ".join(self.targets)
        before, after = ", ".join(self.before), ", ".join(self.after)
        if not self.before:
            return f"{sources} may now reach {targets} on {after}"
        if not self.after:
            rest = f", except {', '.join(self.still_open)}" if self.still_open else ""
            return f"{sources} may no longer reach {targets} ({before}){rest}"
        return f"{sources} may reach {targets} on {after}, before on {before}"

    def as_json(self) -> dict[str, Any]:
        """`from`, `to`, `before`, `after`, `stillOpen`."""
        return {
            "from": list(self.sources),
            "to": list(self.targets),
            "before": list(self.before),
            "after": list(self.after),
            "stillOpen": list(self.still_open),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class FlowChanges:
    """What differs, both ends looked at, and what was not read."""

    changes: tuple[FlowChange, ...] = ()
    not_read: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`changes` and `notRead`."""
        return {
            "changes": [item.as_json() for item in self.changes],
            "notRead": list(self.not_read),
        }
