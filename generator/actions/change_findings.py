"""What the checks find in a change, told from what they find in its base."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from generator.core.files import Files, WorkTree
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule, registered
from generator.impact.finding import Finding, ImpactRule
from generator.pipeline import novelty, review, silenced, toolchain
from generator.pipeline.repository import TREE_RULES
from generator.pipeline.review import Revisions
from generator.report.model import Report
from generator.tree import catalogue

if TYPE_CHECKING:
    from generator.actions import validate

NOT_CHECKED = Rule(
    "diff/not-checked",
    Severity.INFO,
    "A check that was not run",
    "It is unknown whether there are findings.",
    command="diff",
)


ACCEPTED = Rule(
    "diff/accepted",
    Severity.INFO,
    "An impact accepted on the command line",
    "It does not fail the command.",
    command="diff",
)


def reviewed(report: Report, revisions: Revisions, tools: review.Toolchain) -> Report:
    """The report of a review with the state of each of its findings."""
    names = [item.name for item in report.environments]
    if not names and not report.problems:
        return report
    standing = review.findings(revisions.base, names, tools, whole=bool(report.problems))
    return novelty.marked(report, _own(standing, names), _change(revisions))


@dataclasses.dataclass(frozen=True, slots=True)
class Checks:
    """What validation takes beside the tools of a review."""

    now: datetime.datetime
    crds: Path | None = None


def validated(
    report: Report,
    revisions: Revisions,
    names: Sequence[str],
    tools: review.Toolchain,
    checks: Checks,
) -> Report:
    """The report of a review with everything that `validate` finds in these environments."""
    base, head = (
        _validation(files, names, tools, checks) for files in (revisions.base, revisions.head)
    )
    found = _own(head.problems, names)
    if isinstance(revisions.head, WorkTree):
        # While somebody is still writing, a tree out of date is only a word, as the review has it.
        found = [problem for problem in found if problem.rule not in TREE_RULES]
    joined = novelty.joined(report, names, found)
    marked = novelty.marked(joined, _own(base.problems, names), _change(revisions))
    marked = dataclasses.replace(marked, problems=(*marked.problems, *_undone(head)))
    quiet = with_silenced(marked, base, head)
    return dataclasses.replace(quiet, impact=(*quiet.impact, *_loosened(revisions)))


def with_silenced(report: Report, base: validate.Validation, head: validate.Validation) -> Report:
    """The report with what the change silences, or adds to what is silenced, as an impact."""
    found = silenced.silenced(*map(_silence, (base, head)))
    environments = (
        dataclasses.replace(item, impact=(*found.get(item.name, ()), *item.impact))
        for item in report.environments
    )
    return dataclasses.replace(report, environments=tuple(environments))


def _silence(side: validate.Validation) -> silenced.Silence:
    quiet = [problem for problem, _ in side.suppressed]
    return silenced.Silence(side.silencing, side.problems, quiet)


def _loosened(revisions: Revisions) -> Iterator[Finding]:
    before, after = (toolchain.settings(files) for files in (revisions.base, revisions.head))
    if before is not None and after is not None:
        yield from silenced.loosened(before, after)


def acceptable() -> tuple[str, ...]:
    """The id of every rule of impact that fails a check until somebody accepts it."""
    from generator.impact import registry  # noqa: F401 (its rules are registered by it)

    rules = (rule for rule in registered() if isinstance(rule, ImpactRule))
    return tuple(rule.id for rule in rules if Severity.ERROR in rule.severities)


def require_acceptable(rules: Sequence[str]) -> None:
    """Raises UserError for a rule that nobody can accept, such as one of a definition or a tree."""
    known = acceptable()
    for rule in rules:
        own, _, silenced_rule = rule.partition(":")
        if own == silenced.SILENCED.id:
            if not silenced_rule:
                hint = f"write {own}:RULE with the rule that is silenced"
                raise UserError(f"--accept {rule}: the silenced rule is missing", hint=hint)
        elif rule not in known:
            close = difflib.get_close_matches(rule, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(known)}"
            raise UserError(
                f"--accept {rule}: not the rule of an impact that can be accepted", hint=hint
            )


def accepted(report: Report, rules: Sequence[str]) -> Report:
    """The report with a note on each accepted rule that it has a finding of."""
    named = {finding.acceptance for _, finding in report.every_finding} & set(rules)
    notes = (ACCEPTED.problem(f"{rule} is accepted by --accept") for rule in sorted(named))
    return dataclasses.replace(report, problems=(*report.problems, *notes))


def _change(revisions: Revisions) -> novelty.Change:
    return novelty.Change(revisions.base, revisions.head, revisions.changed)


def _validation(
    files: Files, names: Sequence[str], tools: review.Toolchain, checks: Checks
) -> validate.Validation:
    from generator.actions import validate

    here = catalogue.load(files)
    own = [name for name in names if name in here.definitions]
    if not own:
        return validate.Validation((), here.problems, (), ())
    given = validate.Toolchain(files, tools.at(files), tools.renderer, checks.now, checks.crds)
    return validate.validate(own, given)


def _own(problems: Sequence[Problem], names: Sequence[str]) -> list[Problem]:
    return [problem for problem in problems if problem.environment in ("", *names)]


def _undone(found: validate.Validation) -> list[Problem]:
    undone: dict[tuple[str, str], list[str]] = {}
    for item in found.not_done:
        undone.setdefault((item.check, item.reason), []).append(item.environment)
    return [
        NOT_CHECKED.problem(f"{check} ({', '.join(names)}) not checked: {reason}")
        for (check, reason), names in undone.items()
    ]
