"""The report of a comparison: what every format shows."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

from generator.core.basis import NOTHING, Basis, grouped, together
from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.diff.model import Action, Change, Folded
from generator.impact.finding import Finding as Finding
from generator.impact.flow_change import FlowChanges


@dataclasses.dataclass(frozen=True, slots=True)
class FileChange:
    """A changed file that is none of the compared objects; `environment` is that of its folder."""

    path: str
    action: Action
    environment: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that a person wrote and this change moves: dotted path, both values, masked.

    A value is empty where the field is not written on that side.
    """

    path: str
    before: str = ""
    after: str = ""

    def as_json(self) -> dict[str, str]:
        """The documented shape."""
        return {"path": self.path, "before": self.before, "after": self.after}


@dataclasses.dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """One environment: what changes, what that does, and what was already different.

    `rendered` is false when there was nothing to compare, and `reason` then says why; for an
    environment that was compared, a reason is a remark such as "added by this change".
    `drift` is what the cluster differs in from the base, so nothing that this change does.
    `basis` is the head's and `base_basis` the base's; of a side that is not there, the other's.
    `fields` are those of its definition that change; `flows` who may talk to whom, None where the
    environment is on one side alone. `images` are those that no container named before.
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
    basis: Basis = NOTHING
    base_basis: Basis = NOTHING
    fields: tuple[FieldChange, ...] = ()
    flows: FlowChanges | None = None
    images: tuple[str, ...] = ()

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
    def judged_by(self) -> str:
        """The line of its basis; of both where base and head were judged by different ones."""
        before, after = self.base_basis.line, self.basis.line
        return after if before == after else f"{before} \u2192 {after}"

    @property
    def added_lines(self) -> int:
        """Over all changes."""
        return sum(change.added_lines for change in self.changes)

    @property
    def removed_lines(self) -> int:
        """Over all changes."""
        return sum(change.removed_lines for change in self.changes)


UNTOUCHED = "its inputs are the same, byte for byte: nothing was rendered"


def untouched(name: str, basis: Basis) -> EnvironmentDiff:
    """An environment with the same inputs on both sides, which were judged by this basis."""
    return EnvironmentDiff(name, reason=UNTOUCHED, basis=basis, base_basis=basis)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """Everything about one comparison of two revisions, environments in their order.

    `problems` are those of no single environment. `reason` may say why there is nothing to show,
    `not_compared` why no side was looked at. `files` are changed files beside the objects, `fields`
    those of gen-env.yaml that change.
    """

    base: str
    head: str
    environments: tuple[EnvironmentDiff, ...] = ()
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    not_compared: str = ""
    impact: tuple[Finding, ...] = ()
    """Of no single environment."""
    verdict: str = ""
    """How a check ended and who accepted what, where there was one."""
    files: tuple[FileChange, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    untouched: tuple[EnvironmentDiff, ...] = ()
    """Environments of equal inputs, which were not rendered; none of them is in `environments`."""

    @property
    def _looked_at(self) -> tuple[EnvironmentDiff, ...]:
        return (*self.environments, *self.untouched)

    @property
    def basis(self) -> Basis:
        """That of every side that was looked at."""
        return together(
            basis for item in self._looked_at for basis in (item.base_basis, item.basis)
        )

    @property
    def judged_by(self) -> tuple[str, ...]:
        """By which versions, in lines: of both sides where they differ, by name where those do."""
        return grouped((item.name, item.judged_by) for item in self._looked_at if item.rendered)

    @property
    def every_problem(self) -> tuple[Problem, ...]:
        """Those of no single environment, then those of each."""
        return (*self.problems, *(item for env in self.environments for item in env.problems))

    @property
    def every_finding(self) -> tuple[tuple[str, Finding], ...]:
        """What the change does, with the environment's name; those of none first."""
        shared = [("", finding) for finding in self.impact]
        named = [(item.name, finding) for item in self.environments for finding in item.impact]
        return (*shared, *named)

    @property
    def headline(self) -> str:
        """What to say first: a side that was not rendered, or that nothing changes; else empty.

        "No changes" is said only where every side was rendered and read to the end, and where
        nothing beside the rendered objects is wrong.
        """
        if self.not_compared:
            return f"Not compared: {self.not_compared}"
        failed = [item for item in self.environments if not item.rendered]
        if failed:
            named = "; ".join(f"{item.name}: {_why(item)}" for item in failed[:_SHOWN])
            more = f"; and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
            return f"Not compared: {named}{more}"
        if any(item.changes for item in self.environments):
            return ""
        if errors := self._errors():
            first = errors[0]
            place = first.place or first.environment
            return f"No changes in the rendered objects, but errors: {place}: {first.message}"
        if shared := [item for item in self.files if not item.environment]:
            named = ", ".join(item.path for item in shared[:_SHOWN])
            more = f" and {len(shared) - _SHOWN} more" if len(shared) > _SHOWN else ""
            return f"No object of an environment changes. Files that all share do: {named}{more}"
        assured = self.basis.assure(f"No changes: {self._sameness()}{self._random()}")
        if assured is not None:
            return str(assured)
        items = self.basis.not_read
        named = "; ".join(str(item) for item in items[:_SHOWN])
        more = f"; and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
        return f"Compared in part: no difference in what was read. Not read: {named}{more}"

    def _errors(self) -> list[Problem]:
        """Errors about what is not among the compared objects, such as a file of nobody's."""
        return [problem for problem in self.every_problem if problem.fails]

    def _sameness(self) -> str:
        if drifted := sum(len(item.drift) for item in self.environments):
            many = counted(drifted, "object")
            return f"both sides render to the same objects; the cluster differs in {many}"
        if self.reason:
            return self.reason
        if not self.environments:
            return "this change affects no environment"
        if all(item.reason == UNTOUCHED for item in self.environments):
            return "the inputs are the same, byte for byte, so nothing was rendered"
        if any(environment.folded for environment in self.environments):
            return "all differences are noise and were folded"
        return "both sides render to the same objects"

    def _random(self) -> str:
        from generator.render.normalise import RANDOM

        if any(problem.rule == RANDOM.id for problem in self.every_problem):
            return "; what each render generates again was not compared"
        return ""


def grave(findings: Iterable[Finding]) -> frozenset[str]:
    """What somebody must accept, in the words of an accept, see `Finding.acceptance`."""
    return frozenset(item.acceptance for item in findings if item.severity is Severity.ERROR)


_SHOWN = 3


def _why(item: EnvironmentDiff) -> str:
    """Which side could not be rendered, and the first reason for it."""
    errors = [problem for problem in item.problems if problem.severity is Severity.ERROR]
    return f"{item.reason} ({errors[0].message})" if errors else item.reason
