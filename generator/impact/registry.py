"""All rules, and the one function that applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from generator.diff.model import Side
from generator.impact.context import Context, View
from generator.impact.finding import Finding, ordered
from generator.impact.rules import (
    capacity,
    connections,
    dags,
    data,
    disruption,
    executor,
    identity,
    images,
    immutable,
    ingress,
    migrations,
    monitoring,
    network,
    rbac,
    restarts,
    secrets,
    settings,
    versions,
)

Rule = Callable[[Context], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    *rbac.RULES,
    *capacity.RULES,
    *connections.RULES,
    *dags.RULES,
    *data.RULES,
    *disruption.RULES,
    *executor.RULES,
    *identity.RULES,
    *images.RULES,
    *immutable.RULES,
    *ingress.RULES,
    *migrations.RULES,
    *monitoring.RULES,
    *network.RULES,
    *restarts.RULES,
    *secrets.RULES,
    *settings.RULES,
    *versions.RULES,
)


def find(base: Side, head: Side) -> tuple[Finding, ...]:
    """Every finding on the way from base to head, most severe first.

    A side that failed to render, or an environment that is new or goes away, is passed as a Side
    without manifests; rules about what runs are then silent, those about loss are not.
    """
    context = Context(View(base), View(head))
    return ordered(finding for rule in RULES for finding in rule(context))
