"""Where verification looks: the clusters of a connection, each reached by one identity of ours."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.cluster import Cluster

_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """One cluster: a context of a kubeconfig, or the cluster that we run in.

    Without `kubeconfig` it is the one that KUBECONFIG names, else `~/.kube/config`.
    """

    context: str = ""
    kubeconfig: str = ""
    in_cluster: bool = False

    def open(self, environ: Mapping[str, str] = os.environ) -> Cluster:
        """The cluster; nothing is asked before the first request. The caller closes it."""
        from generator.cluster import Cluster

        if self.in_cluster:
            # Nothing else of the environment: a kubeconfig in sight must not take its place.
            host = environ.get(_SERVICE_HOST, "") or "here"
            return Cluster.connect(environ={_SERVICE_HOST: host})
        return Cluster.connect(self.context, kubeconfig=self.kubeconfig, environ=environ)


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """The clusters by their names in gen-env.yaml, Argo CD's own, and how long we are patient.

    Of the repository only names are taken: which identity reaches which cluster is ours to say.
    """

    clusters: Mapping[str, Access]
    argocd: Access | None = None
    timeout: float = 1800.0
    drift_hour: int | None = None

    def knows(self, cluster: str) -> bool:
        """Whether environments in the cluster of this name can be verified."""
        return cluster in self.clusters

    def hub(self, cluster: str) -> Access:
        """Where the Argo CD of that cluster's environments runs."""
        return self.argocd or self.clusters[cluster]
