"""Findings that a definition accepts: for a reason, for a time, and only where policy allows."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Iterable, Iterator, Sequence

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.model.suppression import Suppression

NOT_ALLOWED = Rule(
    "suppress/not-allowed",
    Severity.ERROR,
    "A suppression that policy forbids",
    "policy.tiers bounds what a tier may suppress.",
)
EXPIRED = Rule(
    "suppress/expired",
    Severity.ERROR,
    "An expired suppression",
    "The decision has to be made again.",
)
UNKNOWN = Rule(
    "suppress/unknown-rule",
    Severity.WARNING,
    "A suppression of an unknown rule, or of one that cannot be suppressed",
    "It accepts nothing.",
)
UNUSED = Rule(
    "suppress/unused",
    Severity.INFO,
    "A suppression that finds nothing",
    "It may hide a later finding.",
)

NEVER = (
    "yaml/*",
    "definition/*",
    "settings/*",
    "tree/*",
    "lock/*",
    "policy/*",
    "manifests/*",
    "suppress/*",
    "values/owned-key",
    "chart/archive",
    "secrets/plain",
)
"""Patterns of rules that cannot be accepted: a tree out of date, a file that does not parse."""


def apply(
    resolved: Resolved, problems: Iterable[Problem], today: datetime.date
) -> tuple[list[Problem], list[tuple[Problem, Suppression]]]:
    """Split findings into those that stand and those that are accepted, with why."""
    standing: list[Problem] = []
    accepted: list[tuple[Problem, Suppression]] = []
    effective = active(resolved, today)
    for problem in problems:
        match = next((item for item in effective if _matches(item, problem)), None)
        if match is None:
            standing.append(problem)
        else:
            accepted.append((problem, match))
    return standing, accepted


def active(resolved: Resolved, today: datetime.date) -> tuple[Suppression, ...]:
    """The suppressions that policy allows and whose day has not passed."""
    return tuple(
        item
        for item in resolved.environment.suppress
        if _allowed(resolved, item) and datetime.date.fromisoformat(item.expires) >= today
    )


def is_suppressible(rule: Rule) -> bool:
    """Whether a definition may accept findings of this rule."""
    return not rule.command and not _never(rule.id)


def _never(identity: str) -> bool:
    return any(fnmatch.fnmatchcase(identity, pattern) for pattern in NEVER)


def _matches(item: Suppression, problem: Problem) -> bool:
    if _never(problem.rule):
        return False
    return fnmatch.fnmatchcase(problem.rule, item.rule)


def _allowed(resolved: Resolved, item: Suppression) -> bool:
    policy = resolved.settings.repository.policy
    patterns = policy.may_suppress(resolved.environment.metadata.tier)
    return any(fnmatch.fnmatchcase(item.rule, pattern) for pattern in patterns)


def faults(
    resolved: Resolved, known: Sequence[str], used: set[str], today: datetime.date
) -> Iterator[Problem]:
    """What is wrong with the suppressions themselves: expired, not allowed, unknown, unused."""
    for index, item in enumerate(resolved.environment.suppress):
        path = ("suppress", index, "rule")
        if not _allowed(resolved, item):
            yield resolved.problem(
                NOT_ALLOWED,
                f"tier {resolved.environment.metadata.tier} may not suppress {item.rule}",
                *path,
                hint="see policy.tiers in gen-env.yaml",
            )
        elif datetime.date.fromisoformat(item.expires) < today:
            yield resolved.problem(
                EXPIRED,
                f"the suppression of {item.rule} ended on {item.expires}",
                *path,
                hint="fix the finding, or extend the suppression with a later date",
            )
        elif not any(fnmatch.fnmatchcase(rule, item.rule) for rule in known):
            yield resolved.problem(
                UNKNOWN,
                f"{item.rule} is not a rule that can be suppressed",
                *path,
                hint="docs/rules.md lists them",
            )
        elif item.rule not in used:
            yield resolved.problem(
                UNUSED,
                f"{item.rule} has no findings here",
                *path,
                hint="remove the suppression",
            )
