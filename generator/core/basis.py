"""What an answer was judged by, and what was not looked at; no answer is green without it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

_Item = TypeVar("_Item")


class Origin(enum.StrEnum):
    """Where a version is known from."""

    NAMED = "named"
    """The definition, the Application or the HelmRelease names it exactly."""
    LOCK = "lock"
    CHART_YAML = "Chart.yaml"
    CHART_LOCK = "Chart.lock"
    RECORD = "record"
    """Helm's own record of the release."""
    OPTION = "option"
    """A flag of the command line, such as --chart."""
    IMAGE = "image"
    """The tag of the image that runs, or facts written down about it."""
    DEFAULT = "default"
    """The default of the chart version that was judged."""
    CLUSTER = "cluster"
    """The cluster catalogue of gen-env.yaml."""
    ASSUMED = "assumed"
    """Nothing says it; gen-env took its own default."""
    UNKNOWN = "unknown"


NO_TABLE = "none"
"""The `table` of a version for which there is none, nor one of a version before it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A version and where it is known from; `digest` is a chart archive's, `sha256:...`.

    `table` names the table of another version, where there is none for this one; `why` says
    what an assumption was made from.
    """

    version: str = ""
    origin: Origin = Origin.UNKNOWN
    digest: str = ""
    table: str = ""
    why: str = ""

    def __str__(self) -> str:
        if not self.version:
            return "unknown"
        remarks = [
            *([self._assumed] if self.origin is Origin.ASSUMED else []),
            *([self._judged] if self.table else []),
        ]
        return f"{self.version} ({', '.join(remarks)})" if remarks else self.version

    @property
    def _judged(self) -> str:
        return (
            "unknown to gen-env"
            if self.table == NO_TABLE
            else f"judged by the table of {self.table}"
        )

    @property
    def _assumed(self) -> str:
        return f"assumed: {self.why}" if self.why else "assumed"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class NotRead:
    """A source, file, field or pod that was not looked at: what, where, and why."""

    what: str
    where: str = ""
    reason: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """The documented shape of an entry of `basis.notRead`."""
        return {"what": self.what, "where": self.where, "reason": self.reason}

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        return f"{self.what}{place}" + (f": {self.reason}" if self.reason else "")


UNKNOWN = Version()
"""A version that nothing tells."""


@dataclasses.dataclass(frozen=True, slots=True)
class Basis:
    """By which versions one answer was judged, and everything that was not read for it."""

    chart: Version = UNKNOWN
    airflow: Version = UNKNOWN
    kubernetes: Version = UNKNOWN
    not_read: tuple[NotRead, ...] = ()
    policy: str = ""
    """Whose policy counted, where an answer depends on one: a file and a revision."""

    @property
    def complete(self) -> bool:
        """Whether everything that the answer is about was looked at."""
        return not self.not_read

    @property
    def assumed(self) -> tuple[str, ...]:
        """Which of chart, Airflow and Kubernetes nothing named: `("chart 1.22.0",)`."""
        named = (("chart", self.chart), ("Airflow", self.airflow), ("Kubernetes", self.kubernetes))
        return tuple(
            f"{name} {item.version}" for name, item in named if item.origin is Origin.ASSUMED
        )

    def without(self, not_read: Iterable[NotRead]) -> Basis:
        """The same basis, with more that was not read; sorted, nothing twice."""
        return dataclasses.replace(self, not_read=tuple(sorted({*self.not_read, *not_read})))

    def assure(self, statement: str) -> Assurance | None:
        """Leave to make the statement, or None when something was not read."""
        return Assurance(statement, self) if self.complete else None

    @property
    def line(self) -> str:
        """`chart 1.22.0, Airflow 3.2.2, Kubernetes 1.34.2 (assumed); not read: 2`."""
        text = f"chart {self.chart}, Airflow {self.airflow}, Kubernetes {self.kubernetes}"
        text += f"; policy: {self.policy}" if self.policy else ""
        return f"{text}; not read: {len(self.not_read)}" if self.not_read else text

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `basis`."""
        shape: dict[str, Any] = {
            "chart": {**_json(self.chart), "digest": self.chart.digest},
            "airflow": _json(self.airflow),
            "kubernetes": _json(self.kubernetes),
            "notRead": [item.as_json() for item in self.not_read],
        }
        return {**shape, "policy": self.policy} if self.policy else shape


@dataclasses.dataclass(frozen=True, slots=True)
class Assurance:
    """A statement that covers everything: "no changes", "the same objects", "passed", "verified".

    It cannot be made from an incomplete basis: raises ValueError, which is a bug of the caller.
    """

    statement: str
    basis: Basis

    def __post_init__(self) -> None:
        if not self.basis.complete:
            names = "; ".join(str(item) for item in self.basis.not_read)
            raise ValueError(f'"{self.statement}" over what was not read: {names}')

    def __str__(self) -> str:
        return self.statement


NOTHING = Basis()
"""The basis of a side that is not there."""


def together(bases: Iterable[Basis]) -> Basis:
    """One basis for an answer over several: versions where all agree, all that was not read."""
    items = list(bases)
    not_read = sorted({entry for item in items for entry in item.not_read})
    return Basis(
        _agreed(item.chart for item in items),
        _agreed(item.airflow for item in items),
        _agreed(item.kubernetes for item in items),
        tuple(not_read),
        _one({item.policy for item in items}, ""),
    )


def grouped(named: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The line of each name, once, behind the names that it holds for unless it holds for all.

    `dev, staging: chart 1.22.0, Airflow 3.2.2, Kubernetes 1.34.2`.
    """
    names: dict[str, list[str]] = {}
    for name, line in named:
        names.setdefault(line, []).append(name)
    if len(names) == 1:
        return tuple(names)
    return tuple(f"{', '.join(own)}: {line}" for line, own in names.items())


def lines(bases: Mapping[str, Basis]) -> tuple[str, ...]:
    """The lines of bases by name, see `grouped`."""
    return grouped((name, basis.line) for name, basis in bases.items())


def _agreed(versions: Iterable[Version]) -> Version:
    return _one(set(versions), UNKNOWN)


def _one(different: set[_Item], otherwise: _Item) -> _Item:
    return different.pop() if len(different) == 1 else otherwise


def _json(item: Version) -> dict[str, str]:
    shape = {"version": item.version, "source": item.origin.value}
    return shape | {name: text for name in ("table", "why") if (text := getattr(item, name))}
