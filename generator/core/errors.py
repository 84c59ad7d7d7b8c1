"""The one error that is the user's to mend: what is wrong, where, and what to do."""

from __future__ import annotations

from typing import Self

from generator.core.problem import Problem


class UserError(Exception):
    """A mistake in what we were given, or a limit of the machine; never a bug of ours.

    The command line prints message, place and hint and exits with 1. None of the three may hold
    a secret: quote keys and names, not values.
    """

    def __init__(
        self, message: str, *, path: str = "", line: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.hint = hint

    @classmethod
    def of(cls, problem: Problem, before: str = "") -> Self:
        """The error of a finding: its message after `before`, with its place and hint."""
        message = f"{before}{problem.message}"
        return cls(message, path=problem.path, line=problem.line, hint=problem.hint)

    @property
    def sentence(self) -> str:
        """Place, message and hint on one line, for where they cannot stand apart."""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.message}" + (f"; {self.hint}" if self.hint else "")

    @property
    def place(self) -> str:
        """`file:line`, `file`, or nothing."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path
