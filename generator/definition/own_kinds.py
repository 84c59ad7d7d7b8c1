"""Which kinds of objects an environment may bring of its own, by policy."""

from __future__ import annotations

from generator.definition.resolve import Resolved


def allowed_kinds(resolved: Resolved) -> frozenset[str]:
    """The kinds that an environment may bring: what its tier's and its team's policy both name.

    Where only one of them speaks it decides; where neither does, nothing is allowed.
    """
    policy, environment = resolved.settings.repository.policy, resolved.environment
    tier, team = policy.tiers.get(environment.metadata.tier), policy.teams.get(environment.team)
    lists = [item.manifests for item in (tier, team) if item and item.manifests is not None]
    return frozenset.intersection(*map(frozenset, lists)) if lists else frozenset()
