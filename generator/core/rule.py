"""A documented rule: its name, how much it matters in which tier, and why."""

from __future__ import annotations

import dataclasses

from generator.core.problem import Severity

Tiers = tuple[tuple[str, Severity | None], ...]
"""Severity by tier where it differs; None leaves the rule out. The tier of a bare file is ''."""

NOT_IN_DEVELOPMENT: Tiers = (("development", None),)
ERROR_IN_PRODUCTION: Tiers = (("development", None), ("production", Severity.ERROR))
PRODUCTION_ONLY: Tiers = (("", None), ("development", None), ("staging", None))


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One documented rule; `suppress:` in a definition names it by `id`."""

    id: str
    severity: Severity
    title: str
    why: str
    source: str = ""
    tiers: Tiers = ()

    def severity_in(self, tier: str) -> Severity | None:
        """How much it matters in that tier, or None where it does not apply."""
        return dict(self.tiers).get(tier, self.severity)
