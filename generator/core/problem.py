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


_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One finding: rule id (`area/what`), place, what is wrong and what to do about it.

    `path` is relative to the repository's root with forward slashes; `line` counts from 1.
    Neither message nor hint may quote a value that could be a secret.
    """

    rule: str
    severity: Severity
    message: str
    environment: str = ""
    path: str = ""
    line: int | None = None
    hint: str = ""

    @property
    def place(self) -> str:
        """`file:line`, `file`, or nothing."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path

    def as_json(self) -> dict[str, object]:
        """The documented shape: rule, severity, environment, path, line, message, hint."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "environment": self.environment,
            "path": self.path,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
        }


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repetition: by environment, severity, file, line, rule, message."""
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
