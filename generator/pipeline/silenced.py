"""What a change silences: findings that only its own suppressions or its own policy hide."""

from __future__ import annotations

import collections
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence

from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.model.repository import Repository

SILENCED = ImpactRule(
    "impact/silenced",
    ERROR,
    "Findings that this change itself silences",
    "A suppression takes effect once somebody has accepted it, not by being written.",
    also=((WARNING, "where no error is among them"),),
)
LOOSENED = ImpactRule(
    "impact/policy",
    ERROR,
    "A policy that lets definitions silence more, or accept alone",
    "Later changes are checked with it.",
)


def silenced(
    suppressed: Iterable[Problem], before: Mapping[str, Sequence[str]]
) -> Mapping[str, tuple[Finding, ...]]:
    """By environment, one finding for each rule that is silenced and was not in the base.

    `suppressed` are the silenced problems of the head, `before` the patterns of rules that the
    base's suppressions silence, by environment.
    """
    rules: dict[str, dict[str, list[Problem]]] = collections.defaultdict(dict)
    for problem in suppressed:
        patterns = before.get(problem.environment, ())
        if not any(fnmatch.fnmatchcase(problem.rule, pattern) for pattern in patterns):
            rules[problem.environment].setdefault(problem.rule, []).append(problem)
    return {
        name: tuple(_finding(rule, items) for rule, items in sorted(found.items()))
        for name, found in rules.items()
    }


def _finding(rule: str, items: Sequence[Problem]) -> Finding:
    errors = sum(item.severity is Severity.ERROR for item in items)
    noun = "error" if errors else "finding"
    count = errors or len(items)
    places = sorted({item.place for item in items if item.place})
    more = f" and {len(places) - 1} more" if places[1:] else ""
    where = f", first at {places[0]}{more}" if places else ""
    verb = "is" if count == 1 else "are"
    message = f"{counted(count, noun)} of {rule} {verb} silenced by this change"
    return SILENCED.finding(None, f"{message}{where}", ERROR if errors else WARNING)


def loosened(before: Repository, after: Repository) -> Iterator[Finding]:
    """Where the policy of the head lets a tier silence or accept what the base's does not."""
    for tier in ("development", "staging", "production"):
        old = before.policy.may_suppress(tier)
        new = [
            rule
            for rule in after.policy.may_suppress(tier)
            if not any(fnmatch.fnmatchcase(rule, pattern) for pattern in old)
        ]
        if new:
            yield LOOSENED.finding(None, f"tier {tier} may suppress {', '.join(new)} from now on")
        if before.policy.needs_another(tier) and not after.policy.needs_another(tier):
            yield LOOSENED.finding(None, f"authors in tier {tier} may accept their own changes")
