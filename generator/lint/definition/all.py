"""Rules about a definition as a whole: hardening by tier, and choices that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.lint.definition import (
    access,
    ahead,
    alerting,
    backups,
    combinations,
    entrances,
    images,
    operations,
    sources,
)
from generator.release.release import Release

_FOUND = (
    *combinations.FOUND,
    *access.FOUND,
    *entrances.FOUND,
    *operations.FOUND,
    *alerting.FOUND,
    *ahead.FOUND,
    *backups.FOUND,
    *sources.FOUND,
    *images.FOUND,
)


def rules() -> tuple[Rule, ...]:
    """Every rule about definitions."""
    return tuple(rule for rule, _ in _FOUND)


def problems(release: Release) -> Iterator[Problem]:
    """What these rules find in one environment."""
    tier = release.environment.metadata.tier
    for rule, find in _FOUND:
        severity = rule.severity_in(tier)
        if severity is None:
            continue
        for path, message, hint in find(release):
            yield release.resolved.problem(rule, message, *path, hint=hint, severity=severity)
