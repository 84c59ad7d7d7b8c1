"""The Kubernetes objects beside the chart.

ALL is the one list of them: the tree, validation, `render`, the AppProject, the order of a sync,
the rights of `verify` and what it follows all go through it.
"""

from generator.kube.resource import Object
from generator.manifests import (
    backups,
    dashboards,
    external_secrets,
    namespace,
    network_policies,
    prometheus_rules,
    routes,
    sealed_secrets,
    service_monitors,
)
from generator.manifests.metadata import Kind, Manifest
from generator.release.release import Release

ALL: tuple[Manifest, ...] = (
    namespace.MANIFEST,
    network_policies.MANIFEST,
    routes.MANIFEST,
    service_monitors.MANIFEST,
    prometheus_rules.MANIFEST,
    dashboards.MANIFEST,
    backups.MANIFEST,
    external_secrets.MANIFEST,
    sealed_secrets.MANIFEST,
)


def kinds() -> tuple[Kind, ...]:
    """Every kind that may stand beside the chart."""
    return tuple(kind for manifest in ALL for kind in manifest.kinds)


def followed() -> tuple[Kind, ...]:
    """Those that `verify` watches in the cluster."""
    return tuple(kind for kind in kinds() if kind.followed)


def optional(release: Release) -> list[Object]:
    """The objects of the modules whose kinds are all optional."""
    return [
        item
        for manifest in ALL
        if all(kind.optional for kind in manifest.kinds)
        for item in manifest.objects(release)
    ]
