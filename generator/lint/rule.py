"""A check of Helm values: a documented rule with the function that finds what it is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from generator.core.layered import Path, path_of
from generator.core.problem import Problem, Severity
from generator.core.rule import Also, Rule, Tiers
from generator.helmvalues.values import ValuesInput
from generator.lint.key_names import Advice, advice, is_read

ERROR = Severity.ERROR
WARNING = Severity.WARNING
INFO = Severity.INFO


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Where in the values, what it will do, and what to set instead.

    Keys in a hint are written `{key:...}` under their newest name (`lint/key_names`). A finding
    that `requires` a key is not made for a chart that has none for it; nor is one at a key that
    the chart does not read, unless the finding is about that (`unread`): schema and
    `values/unknown-key` speak of it.
    """

    at: str | Path
    message: str
    hint: Advice = ""
    severity: Severity | None = None
    """One of the rule's further severities (`also`), as under another engine."""
    requires: str = ""
    unread: bool = False

    def applies(self, values: ValuesInput) -> bool:
        """Whether the chart has the key that it is about."""
        if self.requires and values.spelled(self.requires) is None:
            return False
        return self.unread or not values.given(self.at) or is_read(path_of(self.at), values)


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
            if not finding.applies(values):
                continue
            path, line = values.locate(path_of(finding.at))
            yield self.rule.problem(
                finding.message,
                path=path,
                line=line,
                hint=advice(finding.hint, values),
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
