"""One statement about what a change will do to what is running."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from generator.core.problem import Severity
from generator.core.rule import Rule
from generator.core.visible import one_line
from generator.kube.resource import Key
from generator.redaction.text import redact_prose

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

    `resource` is None where the statement is about the environment as a whole.
    """

    rule: str
    severity: Severity
    resource: Key | None
    message: str

    def as_json(self) -> dict[str, str]:
        """The documented shape: rule, severity, resource, message."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "resource": one_line(str(self.resource)) if self.resource else "",
            "message": self.message,
        }


@dataclasses.dataclass(frozen=True, slots=True)
class ImpactRule(Rule):
    """A rule about a change; `command` is `diff`, and a severity of its own applies by `also`."""

    command: str = "diff"

    def finding(
        self, resource: Key | None, message: str, severity: Severity | None = None
    ) -> Finding:
        """A finding of this rule; another severity than the rule's own must be a declared one."""
        # Messages quote images, hosts and settings of the manifests, so they pass the same masks.
        return Finding(self.id, self.checked(severity), resource, one_line(redact_prose(message)))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without repetition: by severity, rule, object, message."""
    return tuple(
        sorted(
            set(findings),
            key=lambda item: (
                _WEIGHT[item.severity],
                item.rule,
                item.resource.sort_key if item.resource else (-1, "", "", "", ""),
                item.message,
            ),
        )
    )
