"""One statement about what a change will do to what is running."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from generator.core.problem import Severity
from generator.core.rule import Rule
from generator.core.visible import one_line
from generator.kube.resource import Key
from generator.redaction.text import redact_prose

_MAX_NAMED = 10
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

ERROR = Severity.ERROR
"""Data or service is lost, or the sync fails."""
WARNING = Severity.WARNING
"""Somebody should know before the merge."""
INFO = Severity.INFO
"""Worth a line in the report."""
BEFORE = (INFO, "it was so before this change")
"""Where a rule does not blame a change for what it found."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What will happen: rule id (`impact/what`), how bad, to which object, in words.

    `resource` is None where the statement is about the environment as a whole; `also` are the other
    objects that it is true of, for the same cause. `brief` is the same in a few words, as part of
    the sentence that sums up the change; empty where another finding says it there.
    """

    rule: str
    severity: Severity
    resource: Key | None
    message: str
    also: tuple[Key, ...] = ()
    brief: str = ""
    about: str = ""
    """The rule that it is about, where it is about one; an accept names it too."""

    @property
    def acceptance(self) -> str:
        """What an accept of it names: its rule, or `impact/silenced:RULE` of what is silenced."""
        return f"{self.rule}:{self.about}" if self.about else self.rule

    def as_json(self) -> dict[str, Any]:
        """The documented shape: rule, severity, resource, message; the other objects, if any."""
        also = {"also": [one_line(str(key)) for key in self.also]} if self.also else {}
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "resource": one_line(str(self.resource)) if self.resource else "",
            "message": self.message,
            **also,
        }


@dataclasses.dataclass(frozen=True, slots=True)
class ImpactRule(Rule):
    """A rule about a change; `command` is `diff`, and a severity of its own applies by `also`."""

    command: str = "diff"

    def finding(
        self,
        resource: Key | None,
        message: str,
        severity: Severity | None = None,
        also: Iterable[Key] = (),
        brief: str = "",
    ) -> Finding:
        """A finding of this rule; another severity than the rule's own must be a declared one."""
        # Messages quote images, hosts and settings of the manifests, so they pass the same masks.
        words, few = (one_line(redact_prose(text)) for text in (message, brief))
        return Finding(self.id, self.checked(severity), resource, words, tuple(also), few)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, rule, object and message, and remove duplicates.

    Findings with the same message about several objects become one finding, about the first object.
    """
    alike: dict[tuple[str, Severity, str], list[Finding]] = {}
    for finding in sorted(set(findings), key=_place):
        alike.setdefault((finding.rule, finding.severity, finding.message), []).append(finding)
    return tuple(sorted(map(_joined, alike.values()), key=_place))


def _joined(findings: Sequence[Finding]) -> Finding:
    first, *rest = findings
    keys = [key for item in rest for key in (item.resource, *item.also) if key]
    if not keys:
        return first
    names = [f"{key.kind} {key.name}" for key in keys]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    words = f"{first.message}; the same for {', '.join(names[:_MAX_NAMED])}{more}"
    return dataclasses.replace(first, message=words, also=(*first.also, *keys))


def _place(item: Finding) -> tuple[object, ...]:
    resource = item.resource.sort_key if item.resource else (-1, "", "", "", "")
    return (_WEIGHT[item.severity], item.rule, resource, item.message)
