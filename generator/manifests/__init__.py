"""The Kubernetes objects beside the chart.

ALL is the one list of them: the tree, validation, `render`, the AppProject, the order of a sync,
the rights of `verify` and what it follows all go through it.
"""

from generator.manifests import (
    backups,
    external_secrets,
    namespace,
    network_policies,
    routes,
    sealed_secrets,
    service_monitors,
)
from generator.manifests.metadata import Kind, Manifest

ALL: tuple[Manifest, ...] = (
    namespace.MANIFEST,
    network_policies.MANIFEST,
    routes.MANIFEST,
    service_monitors.MANIFEST,
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
