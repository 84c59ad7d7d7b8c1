"""Reading fields of objects that may be malformed: a wrong type reads as absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup
from generator.kube.resource import Object

_DIGITS = 9


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One entry of `status.conditions`; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None

    @property
    def words(self) -> str:
        """`Reason: message`, or whichever of the two there is."""
        parts = (self.reason, self.message.strip())
        return ": ".join(part for part in parts if part)


def at(value: Any, *path: str) -> Any:
    """What stands at the path, or None."""
    return lookup(value, path)


def section(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at the path, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else {}


def entries(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings in the list at the path."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def strings(value: Any, *path: str) -> list[str]:
    """The items of the list at the path, as text."""
    found = at(value, *path)
    return [str(item) for item in found] if isinstance(found, list) else []


def text(value: Any, *path: str) -> str:
    """The string at the path, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def integer(value: Any, *path: str) -> int | None:
    """The whole number at the path, or None; true and false are no numbers."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def number(value: Any) -> int | None:
    """A whole number, also one written as text of at most nine digits; else None."""
    if isinstance(value, str) and len(value) <= _DIGITS and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count(value: Any, *path: str) -> int:
    """The whole number at the path; absent counts as 0, as the API omits zeros."""
    return integer(value, *path) or 0


def name_of(manifest: Object) -> str:
    """`metadata.name`."""
    return text(manifest, "metadata", "name")


def conditions(manifest: Object) -> list[Condition]:
    """`status.conditions`, in their order."""
    return [_condition(item) for item in entries(manifest, "status", "conditions")]


def condition(manifest: Object, kind: str) -> Condition | None:
    """The first condition of that type."""
    return next((item for item in conditions(manifest) if item.type == kind), None)


def is_true(manifest: Object, kind: str) -> bool:
    """Whether that condition stands at True."""
    found = condition(manifest, kind)
    return found is not None and found.status == "True"


def is_stale(manifest: Object) -> bool:
    """Whether the controller has not yet looked at the present generation.

    The Ready condition's own generation says it best: Flux leaves `status.observedGeneration`
    behind (at -1 even) while it fails. Without either nothing can be said, and it is not stale.
    """
    generation = count(manifest, "metadata", "generation")
    ready = condition(manifest, "Ready")
    observed = ready.observed_generation if ready else None
    if observed is None:
        observed = integer(manifest, "status", "observedGeneration")
    return observed is not None and observed < generation


def _condition(item: Mapping[str, Any]) -> Condition:
    return Condition(
        type=text(item, "type"),
        status=text(item, "status"),
        reason=text(item, "reason"),
        message=text(item, "message"),
        observed_generation=integer(item, "observedGeneration"),
    )
