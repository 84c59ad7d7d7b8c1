"""The REST names of the kinds that are read, and the paths below an API server that they give."""

from __future__ import annotations

import dataclasses
import urllib.parse


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource of the API: `apps/v1 deployments`."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """The URL path of the collection, or of one object in it."""
        parts = ["api", self.version] if not self.group else ["apis", self.group, self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [self.plural, *([name] if name else [])]
        return "/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


APPLICATIONS = ResourceType("argoproj.io", "v1alpha1", "applications", "Application")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS = ResourceType("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SETS = ResourceType("apps", "v1", "daemonsets", "DaemonSet")
PODS = ResourceType("", "v1", "pods", "Pod")
JOBS = ResourceType("batch", "v1", "jobs", "Job")
EVENTS = ResourceType("", "v1", "events", "Event")
CLAIMS = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SEALED_SECRETS = ResourceType("bitnami.com", "v1alpha1", "sealedsecrets", "SealedSecret")
AUTOSCALERS = ResourceType(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
SCALED_OBJECTS = ResourceType("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject")
REVIEWS = ResourceType(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
)
