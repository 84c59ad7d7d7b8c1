"""What a change silences: by its own suppressions, by its own policy, or by those that it found."""

from __future__ import annotations

import collections
import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping, Sequence

from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.model.repository import Repository
from generator.model.suppression import Suppression
from generator.pipeline import novelty

SILENCED = ImpactRule(
    "impact/silenced",
    ERROR,
    "Findings that this change itself silences",
    "A suppression takes effect once somebody has accepted it, not by being written.",
    also=((WARNING, "where no error is among them, or the base silences the rule already"),),
)
LOOSENED = ImpactRule(
    "impact/policy",
    ERROR,
    "A policy that lets definitions silence more, or accept alone",
    "Later changes are checked with it.",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Silence:
    """One side: its suppressions that hold, by environment, and what it finds, silenced or not."""

    active: Mapping[str, Sequence[Suppression]]
    found: Sequence[Problem] = ()
    silenced: Sequence[Problem] = ()


def silenced(before: Silence, after: Silence) -> Mapping[str, tuple[Finding, ...]]:
    """By environment, one finding for each rule and each way in which the head silences it.

    What the change itself silences, or silences for longer, a person has to accept. What it adds
    to that which the base silences already is a warning: the suppression was written for others.
    """
    known = collections.Counter(map(novelty.identity, (*before.found, *before.silenced)))
    groups: dict[str, dict[tuple[str, str], list[Problem]]] = collections.defaultdict(dict)
    for problem in after.silenced:
        old, new = (_last_day(side, problem) for side in (before, after))
        identity = novelty.identity(problem)
        known[identity] -= 1
        if not old:
            how = _OWN
        elif new > old:
            how = f"by this change until {new}, no longer until {old}"
        elif known[identity] < 0:
            how = _ADDED
        else:
            continue
        groups[problem.environment].setdefault((problem.rule, how), []).append(problem)
    return {
        name: tuple(_finding(rule, how, items) for (rule, how), items in sorted(found.items()))
        for name, found in groups.items()
    }


_OWN = "by this change"
_ADDED = "by a suppression of the base, and new"


def _last_day(side: Silence, problem: Problem) -> str:
    """The last day on which the side silences such a finding; empty where it does not."""
    items = side.active.get(problem.environment, ())
    days = (item.expires for item in items if fnmatch.fnmatchcase(problem.rule, item.rule))
    return max(days, default="")


def _finding(rule: str, how: str, items: Sequence[Problem]) -> Finding:
    errors = sum(item.severity is Severity.ERROR for item in items)
    noun = "error" if errors else "finding"
    count = errors or len(items)
    places = sorted({item.place for item in items if item.place})
    more = f" and {len(places) - 1} more" if places[1:] else ""
    where = f", first at {places[0]}{more}" if places else ""
    verb = "is" if count == 1 else "are"
    severity = ERROR if errors and how != _ADDED else WARNING
    message = f"{counted(count, noun)} of {rule} {verb} silenced {how}{where}"
    return dataclasses.replace(SILENCED.finding(None, message, severity), about=rule)


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
