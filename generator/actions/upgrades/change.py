"""What an upgrade asks of one definition, and the options that ask for it."""

from __future__ import annotations

import dataclasses
from typing import Literal

from generator.core.errors import UserError
from generator.core.problem import Problem
from generator.definition.rehearsal_file import Rehearsal

BUNDLES = "bundles"


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """Versions to move to, or the way that DAGs come by; None leaves one as it is."""

    chart: str | None = None
    airflow: str | None = None
    dags: Literal["bundles"] | None = None
    new_defaults: bool = False
    """Whether the defaults of the new chart take effect where they change an object."""
    rehearsal: Rehearsal | None = None
    """What the migration did on a copy; it goes into the environment's folder."""

    def require(self) -> None:
        """Raise UserError where nothing is asked for, or two things that belong apart."""
        if self.dags and (self.chart or self.airflow):
            raise UserError(
                "--dags cannot be combined with --chart or --airflow",
                hint="convert, merge and verify the environment, then upgrade it",
            )
        if self.rehearsal and not self.airflow:
            raise UserError("--rehearsal needs --airflow VERSION")
        if self.new_defaults and not self.chart:
            raise UserError("--new-defaults needs --chart VERSION")
        if not (self.chart or self.airflow or self.dags):
            hint = "give --chart VERSION, --airflow VERSION or --dags bundles"
            raise UserError("nothing to upgrade to", hint=hint)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """The definition's new text, what moves, and what people must know and do."""

    text: str
    moves: tuple[str, ...]
    notes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    route: tuple[str, ...] = ()
    """The commands, one at a time, where one step cannot be or is not the safest."""
