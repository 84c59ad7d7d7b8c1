"""Everything that finds impacts, and the one function that applies all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from generator.diff.model import Side
from generator.impact.context import Context, View
from generator.impact.finding import Finding, ordered
from generator.impact.rules import (
    argocd,
    backups,
    capacity,
    connections,
    dags,
    data,
    disruption,
    executor,
    flux,
    gone,
    images,
    immutable,
    migrations,
    monitoring,
    not_restarted,
    project,
    refused,
    restarts,
    scale,
    secrets,
    services,
    settings,
    stores,
    versions,
    volatile,
)
from generator.impact.rules.access import exposure, identity, ingress, network, rbac, reach, sign_in

Finder = Callable[[Context], Iterable[Finding]]

FINDERS: tuple[Finder, ...] = (
    *argocd.FINDERS,
    *backups.FINDERS,
    *rbac.FINDERS,
    *capacity.FINDERS,
    *connections.FINDERS,
    *dags.FINDERS,
    *data.FINDERS,
    *disruption.FINDERS,
    *executor.FINDERS,
    *exposure.FINDERS,
    *flux.FINDERS,
    *gone.FINDERS,
    *identity.FINDERS,
    *images.FINDERS,
    *immutable.FINDERS,
    *ingress.FINDERS,
    *migrations.FINDERS,
    *monitoring.FINDERS,
    *network.FINDERS,
    *not_restarted.FINDERS,
    *project.FINDERS,
    *reach.FINDERS,
    *refused.FINDERS,
    *restarts.FINDERS,
    *scale.FINDERS,
    *secrets.FINDERS,
    *services.FINDERS,
    *settings.FINDERS,
    *sign_in.FINDERS,
    *stores.FINDERS,
    *versions.FINDERS,
    *volatile.FINDERS,
)


def find(base: Side, head: Side) -> tuple[Finding, ...]:
    """Every finding on the way from base to head, most severe first.

    A side that failed to render, or an environment that is new or goes away, is passed as a Side
    without manifests; rules about what runs are then silent, those about loss are not.
    """
    context = Context(View(base), View(head))
    return ordered(finding for finder in FINDERS for finding in finder(context))
