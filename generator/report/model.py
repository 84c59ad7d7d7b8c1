"""The report of a comparison: what every format shows."""

from __future__ import annotations

import collections
import dataclasses

from generator.core.problem import Problem, Severity
from generator.diff.model import Action, Change, Folded
from generator.impact.finding import Finding


@dataclasses.dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """One environment: what changes, what that does, and what was already different.

    `rendered` is false when there was nothing to compare, and `reason` then says why; for an
    environment that was compared, a reason is a remark such as "added by this change".
    `drift` is what the cluster differs in from the base, so nothing that this change does.
    """

    name: str
    old_name: str | None = None
    rendered: bool = True
    reason: str = ""
    changes: tuple[Change, ...] = ()
    folded: tuple[Folded, ...] = ()
    impact: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    drift: tuple[Change, ...] = ()

    @property
    def actions(self) -> dict[Action, int]:
        """How many objects are added, removed and modified."""
        counts = collections.Counter(change.action for change in self.changes)
        return {action: counts[action] for action in Action}

    @property
    def severities(self) -> dict[Severity, int]:
        """How many findings there are of each severity."""
        counts = collections.Counter(finding.severity for finding in self.impact)
        return {severity: counts[severity] for severity in Severity}

    @property
    def added_lines(self) -> int:
        """Over all changes."""
        return sum(change.added_lines for change in self.changes)

    @property
    def removed_lines(self) -> int:
        """Over all changes."""
        return sum(change.removed_lines for change in self.changes)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """Everything about one comparison of two revisions, environments in their order.

    `problems` are those of no single environment. `reason` may say why there is nothing to show.
    """

    base: str
    head: str
    environments: tuple[EnvironmentDiff, ...] = ()
    problems: tuple[Problem, ...] = ()
    reason: str = ""

    @property
    def emptiness(self) -> str:
        """Why there is no change to show; empty when there is one."""
        if any(environment.changes for environment in self.environments):
            return ""
        if self.reason:
            return self.reason
        if not self.environments:
            return "no environment is touched by this change"
        if not any(environment.rendered for environment in self.environments):
            return "no environment could be compared; the reasons stand with each of them"
        if any(environment.folded for environment in self.environments):
            return "all that differs is noise, which was folded"
        return "both sides render to the same objects"
