"""A documented rule: its name, how much it matters, and why; findings are made through it.

A module that finds something declares its rules beside the code that finds it. Every rule is
registered when it is made, so that an id stands in one place and the documentation is complete.
"""

from __future__ import annotations

import dataclasses

from generator.core.problem import Problem, Severity

Tiers = tuple[tuple[str, Severity | None], ...]
"""Severity by tier where it differs; None leaves the rule out. The tier of a bare file is ''."""

Also = tuple[tuple[Severity, str], ...]
"""Further severities, each with when it applies."""

NOT_IN_DEVELOPMENT: Tiers = (("development", None),)
ERROR_IN_PRODUCTION: Tiers = (("development", None), ("production", Severity.ERROR))
PRODUCTION_ONLY: Tiers = (("", None), ("development", None), ("staging", None))

_REGISTERED: dict[str, Rule] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One documented rule; raises ValueError for an id that another rule has.

    `command` is the command, or `service`, that alone raises it; empty for `validate` and `check`.
    `suppress:` in a definition names a rule of those two by `id`.
    """

    id: str
    severity: Severity
    title: str
    why: str
    source: str = "gen-env"
    tiers: Tiers = ()
    also: Also = ()
    command: str = ""

    def __post_init__(self) -> None:
        if self.id in _REGISTERED:
            raise ValueError(f"rule {self.id} is registered twice")
        _REGISTERED[self.id] = self

    @property
    def area(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def severities(self) -> frozenset[Severity]:
        """Every severity that a finding of this rule may have."""
        tiers = (level for _, level in self.tiers if level is not None)
        return frozenset({self.severity, *tiers, *(level for level, _ in self.also)})

    def severity_in(self, tier: str) -> Severity | None:
        """How much it matters in that tier, or None where it does not apply."""
        return dict(self.tiers).get(tier, self.severity)

    def checked(self, severity: Severity | None) -> Severity:
        """The severity, or the rule's own; raises ValueError for an undeclared one."""
        if severity is None:
            return self.severity
        if severity not in self.severities:
            raise ValueError(f"rule {self.id} does not declare severity {severity}")
        return severity

    def problem(
        self,
        message: str,
        *,
        environment: str = "",
        path: str = "",
        line: int | None = None,
        hint: str = "",
        severity: Severity | None = None,
    ) -> Problem:
        """A finding of this rule; another severity than the rule's own must be a declared one."""
        level = self.checked(severity)
        return Problem(self.id, level, message, environment, path, line, hint)


def registered() -> tuple[Rule, ...]:
    """Every rule of the modules imported so far, by id."""
    return tuple(_REGISTERED[identity] for identity in sorted(_REGISTERED))


def rule_of(problem: Problem) -> Rule:
    """The rule that a problem was made by; KeyError where its module is not imported."""
    return _REGISTERED[problem.rule]
