"""The REST names of the kinds that are read."""

from __future__ import annotations

from generator.kube.resource_type import ResourceType

APPLICATIONS = ResourceType("argoproj.io", "v1alpha1", "applications", "Application")
HELM_RELEASES = ResourceType("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease")
KUSTOMIZATIONS = ResourceType(
    "kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization"
)
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS = ResourceType("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SETS = ResourceType("apps", "v1", "daemonsets", "DaemonSet")
PODS = ResourceType("", "v1", "pods", "Pod")
JOBS = ResourceType("batch", "v1", "jobs", "Job")
EVENTS = ResourceType("", "v1", "events", "Event")
CLAIMS = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
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
NODES = ResourceType("", "v1", "nodes", "Node", namespaced=False)
SERVICES = ResourceType("", "v1", "services", "Service")
ENDPOINT_SLICES = ResourceType("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
STORAGE_CLASSES = ResourceType(
    "storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False
)
INGRESS_CLASSES = ResourceType(
    "networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False
)
PROMETHEUSES = ResourceType("monitoring.coreos.com", "v1", "prometheuses", "Prometheus")
