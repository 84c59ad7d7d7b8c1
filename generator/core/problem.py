"""A problem: one finding of a check, as a value."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable


class Severity(enum.StrEnum):
    """How much a finding matters; only errors make a command exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def noun(self) -> str:
        """The word for one finding of this severity, for counts in texts."""
        return "note" if self is Severity.INFO else self.value


class State(enum.StrEnum):
    """Whether a change brings a finding, finds it there, or ends it."""

    NEW = "new"
    OLD = "old"
    GONE = "gone"


_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One finding: rule id (`area/what`), place, what is wrong and what to do about it.

    `path` is relative to the repository's root with forward slashes; `line` counts from 1.
    Neither message nor hint may quote a value that could be a secret. `about` names the rendered
    object that it is about. `state` is None where no base was looked at; `touched` says that the
    change concerns its object or file.
    """

    rule: str
    severity: Severity
    message: str
    environment: str = ""
    path: str = ""
    line: int | None = None
    hint: str = ""
    about: str = ""
    state: State | None = None
    touched: bool = False

    @property
    def fails(self) -> bool:
        """Whether it fails a check: an error, unless it was there and the change is not near it."""
        return self.severity is Severity.ERROR and not self.is_aside

    @property
    def is_aside(self) -> bool:
        """Whether it is gone, or was there before a change that does not concern its place."""
        return self.state is State.GONE or (self.state is State.OLD and not self.touched)

    @property
    def place(self) -> str:
        """`file:line`, `file`, or nothing."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path

    def as_json(self) -> dict[str, object]:
        """The documented shape; `state` and `touched` where it was compared with a base."""
        shape: dict[str, object] = {
            "rule": self.rule,
            "severity": self.severity.value,
            "environment": self.environment,
            "path": self.path,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
        }
        if self.state is not None:
            shape |= {"state": self.state.value, "touched": self.touched}
        return shape


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems once each: by environment, severity, file, line, rule, message and hint."""
    return tuple(
        sorted(
            set(problems),
            key=lambda p: (
                p.environment,
                _WEIGHT[p.severity],
                p.path,
                p.line or 0,
                p.rule,
                p.message,
                p.hint,
            ),
        )
    )


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class NotDone:
    """Which check, why it was not made, and what would make it possible."""

    check: str
    reason: str
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """The documented shape of an entry of `notDone`."""
        return {"check": self.check, "reason": self.reason, "hint": self.hint}
