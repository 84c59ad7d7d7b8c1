"""What `rehearse.py` prints, and what it says of a database with other numbers of rows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Literal

import pydantic

from generator.definition.rehearsal_file import LAST, Back, Estimate, Part, Step, lasting


class Target(Part):
    """The Airflow that ran the migrations."""

    airflow: str
    providers: dict[str, str]
    python: str


class Applied(Part):
    """One revision of one run."""

    chain: str
    revision: str
    up: bool
    doc: str = ""
    tables: tuple[str, ...]
    rewrites: tuple[str, ...]
    indexes: tuple[str, ...]
    seconds: float
    locks: dict[str, tuple[str, float]]
    wal: int
    temporary: int
    peak: int


class Command(Part):
    """One command of Airflow; with a status only where it failed."""

    command: str
    seconds: float
    revisions: tuple[Applied, ...]
    status: int = 0

    @property
    def words(self) -> str:
        """Where it failed."""
        last = f" after revision {self.revisions[-1].revision}" if self.revisions else ""
        return f"`{self.command}` ended with status {self.status}{last}"

    @property
    def around(self) -> float:
        """Seconds beside the revisions: the start of the program, and what it does itself."""
        return max(0.0, self.seconds - sum(item.seconds for item in self.revisions))


class WayBack(Part):
    """The commands back, and what the database was then."""

    commands: tuple[Command, ...]
    failed: Command | None = None
    heads: dict[str, tuple[str, ...]]
    rows: dict[str, int]


class Measurement(Part):
    """The document."""

    format: Literal[1]
    at: int = pydantic.Field(ge=0, le=LAST)
    target: Target
    server: str
    backup: str = ""
    """The backup whose rows and revisions were compared with its manifest; '' for another dump."""
    heads: dict[str, tuple[str, ...]]
    rows: dict[str, int]
    size: int
    empty: Command | None = None
    runs: tuple[Command, ...]
    failed: Command | None = None
    size_after: int = 0
    heads_after: dict[str, tuple[str, ...]] = pydantic.Field(default_factory=dict)
    back: WayBack | None = None


def steps(found: Measurement, production: Mapping[str, int]) -> Iterator[Step]:
    """Every revision with its times for those rows."""
    fixed = {_key(item): item.seconds for item in found.empty.revisions} if found.empty else {}
    for items in zip(*(run.revisions for run in found.runs), strict=False):
        first, times = items[0], [item.seconds for item in items]
        weight = _weight(first.tables, found.rows, production)
        yield Step(
            chain=first.chain, revision=first.revision, doc=first.doc,
            seconds=round(statistics.median(times), 3),
            estimate=_estimate(fixed.get(_key(first), 0.0), times, *weight),
            rewrites=first.rewrites, indexes=first.indexes,
            locks={name: lock for name, lock in first.locks.items() if lock[1]},
        )  # fmt: skip


def total(found: Measurement, parts: tuple[Step, ...]) -> Estimate:
    """The whole command: its revisions, and what it takes around them whatever the rows are."""
    around = [run.around for run in found.runs] or [0.0]
    sums = [sum(getattr(item.estimate, name) for item in parts)
            for name in ("seconds", "low", "high")]  # fmt: skip
    each = (statistics.median(around), min(around), max(around))
    return _rounded(*(whole + extra for whole, extra in zip(sums, each, strict=True)))


def room(found: Measurement, production: Mapping[str, int]) -> tuple[int, int]:
    """Bytes of the database on top of its size, and of write-ahead log, for those rows."""
    ratio, _ = _weight(tuple(found.rows), found.rows, production)
    peaks = [item.peak for run in found.runs for item in run.revisions]
    top = max([found.size_after, *peaks]) - found.size
    wal = max((sum(item.wal for item in run.revisions) for run in found.runs), default=0)
    return int(max(0, top) * ratio), int(wal * ratio)


def way_back(found: Measurement) -> Back:
    """Whether revisions and rows were those of before again."""
    made = found.back
    if made is None:
        return Back(outcome="none")
    commands = tuple(item.command for item in made.commands)
    seconds = round(sum(item.seconds for item in made.commands), 1)
    if made.failed:
        return Back(
            outcome="failed", commands=commands, seconds=seconds, differs=(made.failed.words,)
        )
    if not commands and made.heads != found.heads:
        return Back(outcome="none")
    differs = (*_heads(found.heads, made.heads), *_rows(found.rows, made.rows))
    outcome: Literal["differs", "returns"] = "differs" if differs else "returns"
    return Back(outcome=outcome, commands=commands, seconds=seconds, differs=differs)


def _heads(
    before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for chain in sorted({*before, *after}):
        old, new = (", ".join(side.get(chain, ())) or "nothing" for side in (before, after))
        if old != new:
            yield f"{chain} is {new}, was {old}"


def _rows(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    """Only what is missing: commands of Airflow write to its audit log."""
    for table, count in sorted(before.items()):
        if after.get(table, -1) < count:
            rows = after.get(table)
            yield f"{table} has {rows} rows, had {count}" if table in after else f"{table} is gone"


def _key(item: Applied) -> tuple[str, str]:
    return item.chain, item.revision


def _weight(
    tables: tuple[str, ...], rows: Mapping[str, int], production: Mapping[str, int]
) -> tuple[float, float]:
    """How many times more rows these tables have in production; and with the logarithm of sorting.

    A table whose rows in production are not known counts as it is in the dump.
    """
    here = sum(rows.get(name, 0) for name in tables)
    there = sum(production.get(name, rows.get(name, 0)) for name in tables)
    if not here:
        return 1.0, 1.0
    ratio = there / here
    return ratio, ratio * max(1.0, math.log(max(there, 2)) / math.log(max(here, 2)))


def _estimate(fixed: float, times: list[float], linear: float, sorting: float) -> Estimate:
    """What does not depend on rows, and the rest by the rows; sorting grows faster than they do."""

    def scaled(seconds: float, ratio: float) -> float:
        constant = min(fixed, seconds)
        return constant + (seconds - constant) * ratio

    return _rounded(
        scaled(statistics.median(times), linear),
        scaled(min(times), linear),
        scaled(max(times), max(linear, sorting)),
    )


def _rounded(*seconds: float) -> Estimate:
    middle, low, high = (round(item, 3) for item in seconds)
    return Estimate(seconds=middle, low=low, high=high)


def shown_locks(step: Step) -> str:
    """Tables that others cannot write to or read, and for how long with the rows of production."""
    grows = step.estimate.seconds / step.seconds if step.seconds else 1.0
    locks = {table: (mode, seconds * grows) for table, (mode, seconds) in step.locks.items()}
    found = sorted(locks.items(), key=lambda item: -item[1][1])
    return ", ".join(f"{table} ({mode} for {lasting(seconds)})" for table, (mode, seconds) in found)
