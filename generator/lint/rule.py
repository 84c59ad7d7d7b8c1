"""A check of Helm values: a documented rule with the function that finds what it is about."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator

from generator.core.layered import Path, path_of
from generator.core.problem import Problem, Severity
from generator.core.rule import Also, Rule, Tiers
from generator.helmvalues.values import ValuesInput

ERROR = Severity.ERROR
WARNING = Severity.WARNING
INFO = Severity.INFO


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Where in the values, what it will do, and what to set instead."""

    at: str | Path
    message: str
    hint: str = ""
    severity: Severity | None = None
    """One of the rule's further severities (`also`), as under another engine."""


# A value's key in a hint, which always says what to do with it.
_KEY = re.compile(r"(?:set|rename it to|move it to|use|remove) ([a-z]\w*(?:\.\w+)+)(?=: |, | |$)")


def _is_known(hint: str, values: ValuesInput) -> bool:
    """Whether the chart that is judged has the sections of the keys that the hint tells to set.

    A key within a section may be one that the chart reads without having a default for it.
    """
    return all(values.knows(path_of(key)[:-1]) for key in _KEY.findall(hint))


Find = Callable[[ValuesInput], Iterable[Finding]]


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A rule about Helm values together with the function that finds it."""

    rule: Rule
    find: Find

    def problems(self, values: ValuesInput) -> Iterator[Problem]:
        """What the values hold of it, with file and line."""
        severity = self.rule.severity_in(values.tier)
        if severity is None:
            return
        for finding in self.find(values):
            path, line = values.locate(path_of(finding.at))
            yield self.rule.problem(
                finding.message,
                path=path,
                line=line,
                hint=finding.hint if _is_known(finding.hint, values) else "",
                severity=finding.severity or severity,
            )


def check(
    identity: str,
    severity: Severity,
    title: str,
    *,
    why: str,
    source: str = "chart 1.22.0, rendered",
    tiers: Tiers = (),
    also: Also = (),
) -> Callable[[Find], Check]:
    """Make the decorated function the check of one rule about values."""
    rule = Rule(identity, severity, title, why, source, tiers, also)

    def mark(find: Find) -> Check:
        return Check(rule, find)

    return mark
