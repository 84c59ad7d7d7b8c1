"""What one commit expects of one environment: the side that the cluster is measured against."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from generator.core.basis import Basis
from generator.kube.fields import section, text
from generator.kube.resource import Key, Object, key_of
from generator.model.environment import Engine

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_COMPONENTS = ("scheduler", "triggerer", "dag-processor")

Ancestry = Callable[[str, str], bool | None]
"""A question about `(older, newer)` commits; None means that the answer is not known."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Airflow answers for itself: the address from outside, and the Service behind it."""

    url: str = ""
    service: str = ""
    port: str = "api-server"
    path: str = "/api/v2/monitor/health"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What `revision` expects of `environment`, rendered, and how patient to be.

    `changes_environment(older, newer)` says whether a later commit renders this environment
    differently; without it a later commit counts as one that does not, until a workload shows
    otherwise. `settle_seconds` is how long everything must hold before it counts,
    `failure_seconds` how long a failure may last before it is believed; an Application that Argo CD
    has not looked at for `reconcile_within_seconds` is not believed either (None: no limit).
    `basis` says by which versions the manifests were rendered. Under Flux the `application` is the
    HelmRelease, and `kustomizations` are those that apply it, as generated.
    """

    environment: str
    revision: str
    application: str
    application_namespace: str
    namespace: str
    release: str
    manifests: tuple[Object, ...]
    basis: Basis
    is_ancestor: Ancestry
    changes_environment: Ancestry | None = None
    repository: str = ""
    chart_version: str = ""
    application_manifest: Object | None = None
    engine: Engine = "argocd"
    kustomizations: tuple[Object, ...] = ()
    migration_job: str = ""
    endpoint: Endpoint | None = None
    settle_seconds: float = 30.0
    failure_seconds: float = 60.0
    reconcile_within_seconds: float | None = 900.0

    def of_kind(self, *kinds: str) -> list[tuple[Key, Object]]:
        """The rendered objects of these kinds, in order, hooks that only test left out."""
        found = [
            (key_of(manifest, self.namespace), manifest)
            for manifest in self.manifests
            if text(manifest, "kind") in kinds and not _is_test(manifest)
        ]
        return sorted(found, key=lambda pair: pair[0].sort_key)

    @property
    def airflow_components(self) -> tuple[str, ...]:
        """The components with a heartbeat that are rendered, by the chart's label."""
        rendered = {
            component_of(manifest)
            for _, manifest in self.of_kind(*WORKLOAD_KINDS)
            if section(manifest, "spec").get("replicas") != 0
        }
        return tuple(name for name in _COMPONENTS if name in rendered)


def component_of(workload: Object) -> str:
    """The chart's name for what the workload's pods do."""
    return text(workload, "spec", "template", "metadata", "labels", "component")


def _is_test(manifest: Object) -> bool:
    return text(manifest, "metadata", "annotations", "helm.sh/hook").startswith("test")
