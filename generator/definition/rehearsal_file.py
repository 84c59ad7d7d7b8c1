"""`rehearsal.json`: what a migration did on a copy of an environment's database.

Numbers, names of tables and revisions; nothing of a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, TypeVar

import pydantic
from pydantic.alias_generators import to_camel

from generator.core.errors import UserError

FILE_NAME = "rehearsal.json"
_LIMIT = 1 << 20
LAST = 253_402_300_799
"""The last second that a date can have."""


class Part(pydantic.BaseModel):
    """A part of a document of gen-env's own: written in camelCase, frozen, nothing unknown."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True,
        hide_input_in_errors=True, allow_inf_nan=False, str_max_length=2000,
    )  # fmt: skip


class Side(Part):
    """One end of the migration."""

    airflow: str
    providers: dict[str, str] = {}
    heads: dict[str, tuple[str, ...]] = {}


class Estimate(Part):
    """Seconds, and between which they are expected."""

    seconds: float
    low: float
    high: float


class Step(Part):
    """One revision: seconds as measured and as expected, and what it did to tables."""

    chain: str
    revision: str
    doc: str = ""
    seconds: float
    estimate: Estimate
    rewrites: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    locks: dict[str, tuple[str, float]] = {}
    """Strongest lock by table, and the seconds that it was seen in samples."""

    @property
    def name(self) -> str:
        """For people."""
        chain = self.chain.removeprefix("alembic_version").strip("_") or "airflow"
        return f"{chain} {self.revision}" + (f" ({self.doc.rstrip('.')})" if self.doc else "")


class Back(Part):
    """The way back; `differs` says what it did not restore."""

    outcome: Literal["returns", "differs", "failed", "none"]
    commands: tuple[str, ...] = ()
    seconds: float = 0.0
    differs: tuple[str, ...] = ()


class Rehearsal(Part):
    """The file."""

    format: Literal[1]
    environment: str
    at: int = pydantic.Field(ge=0, le=LAST)
    """When it was measured (Unix)."""
    backup: str = ""
    """Name of the backup; '' for another dump."""
    start: Side
    end: Side
    outcome: Literal["passed", "failed"]
    failed: str = ""
    server: str = ""
    rows: dict[str, int] = {}
    production: dict[str, int] = {}
    size: int
    room: int = 0
    """Bytes that the database needs on top at its largest, for the rows of the production."""
    wal: int = 0
    """Bytes of write-ahead log, likewise."""
    runs: int = 1
    estimate: Estimate
    steps: tuple[Step, ...] = ()
    back: Back
    not_read: tuple[str, ...] = ()

    def text(self) -> str:
        """The file's content."""
        return (
            json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True) + "\n"
        )

    @property
    def slowest(self) -> Step | None:
        """The revision that takes longest for the rows of the production."""
        return max(self.steps, key=lambda step: step.estimate.seconds, default=None)

    @property
    def line(self) -> str:
        """One sentence for a pull request."""
        move = f"Airflow {self.start.airflow} → {self.end.airflow}"
        if self.outcome == "failed":
            return f"{move} failed: {self.failed}"
        slow = self.slowest
        slowest = f"; slowest: {slow.name}, {lasting(slow.estimate.seconds)}" if slow else ""
        back = _BACK[self.back.outcome]
        return f"{move} takes {shown(self.estimate)}{slowest}; the way back: {back}"


_BACK = {
    "returns": "leads back to the same revisions, and no table has fewer rows",
    "differs": "does not restore everything",
    "failed": "fails",
    "none": "only by restoring the backup",
}


def shown(item: Estimate) -> str:
    """`25 s (20 s to 31 s)`."""
    return f"{lasting(item.seconds)} ({lasting(item.low)} to {lasting(item.high)})"


def lasting(seconds: float) -> str:
    """Seconds, minutes or hours, rounded."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


_Document = TypeVar("_Document", bound=Part)


def read(content: bytes, path: str) -> Rehearsal:
    """The file; raises UserError where it is none."""
    return parsed(Rehearsal, content, path, "the result of a rehearsal")


def parsed(model: type[_Document], content: bytes, path: str, what: str) -> _Document:
    """A document of that shape; raises UserError where it is none."""
    try:
        if len(content) > _LIMIT:
            raise ValueError("too large")
        return model.model_validate(json.loads(content))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise UserError(f"not {what}: {where}: {first['msg']}", path=path) from None
    except ValueError:
        raise UserError(f"not {what}: not JSON, or too large", path=path) from None
    except RecursionError:
        raise UserError(f"not {what}: nested too deep", path=path) from None


def rows_of(found: Mapping[str, int]) -> dict[str, int]:
    """Rows by table without the schema, as a backup's manifest has it."""
    return {name.removeprefix("public."): count for name, count in found.items()}
