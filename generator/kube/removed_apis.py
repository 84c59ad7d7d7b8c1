"""APIs that Kubernetes stopped serving, and from which version on.

kubernetes.io/docs/reference/using-api/deprecation-guide; only what was removed, not what will be.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Removal:
    """An API version of some kinds (none named: all), gone from Kubernetes 1.`minor` on."""

    api: str
    kinds: frozenset[str]
    minor: int
    instead: str


def _gone(minor: int, api: str, instead: str, *kinds: str) -> Removal:
    return Removal(api, frozenset(kinds), minor, instead)


_REMOVALS = (
    _gone(16, "apps/v1beta1", "apps/v1"),
    _gone(16, "apps/v1beta2", "apps/v1"),
    _gone(16, "extensions/v1beta1", "apps/v1", "DaemonSet", "Deployment", "ReplicaSet"),
    _gone(16, "extensions/v1beta1", "networking.k8s.io/v1", "NetworkPolicy"),
    _gone(22, "admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1"),
    _gone(22, "apiextensions.k8s.io/v1beta1", "apiextensions.k8s.io/v1"),
    _gone(22, "apiregistration.k8s.io/v1beta1", "apiregistration.k8s.io/v1"),
    _gone(22, "coordination.k8s.io/v1beta1", "coordination.k8s.io/v1"),
    _gone(22, "extensions/v1beta1", "networking.k8s.io/v1", "Ingress"),
    _gone(22, "networking.k8s.io/v1beta1", "networking.k8s.io/v1", "Ingress", "IngressClass"),
    _gone(22, "rbac.authorization.k8s.io/v1beta1", "rbac.authorization.k8s.io/v1"),
    _gone(22, "scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1"),
    _gone(22, "storage.k8s.io/v1beta1", "storage.k8s.io/v1", "CSIDriver", "CSINode"),
    _gone(22, "storage.k8s.io/v1beta1", "storage.k8s.io/v1", "StorageClass", "VolumeAttachment"),
    _gone(25, "autoscaling/v2beta1", "autoscaling/v2"),
    _gone(25, "batch/v1beta1", "batch/v1"),
    _gone(25, "discovery.k8s.io/v1beta1", "discovery.k8s.io/v1"),
    _gone(25, "events.k8s.io/v1beta1", "events.k8s.io/v1"),
    _gone(25, "node.k8s.io/v1beta1", "node.k8s.io/v1"),
    _gone(25, "policy/v1beta1", "Pod Security Admission", "PodSecurityPolicy"),
    _gone(25, "policy/v1beta1", "policy/v1", "PodDisruptionBudget"),
    _gone(26, "autoscaling/v2beta2", "autoscaling/v2"),
    _gone(26, "flowcontrol.apiserver.k8s.io/v1beta1", "flowcontrol.apiserver.k8s.io/v1"),
    _gone(27, "storage.k8s.io/v1beta1", "storage.k8s.io/v1", "CSIStorageCapacity"),
    _gone(29, "flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1"),
    _gone(32, "flowcontrol.apiserver.k8s.io/v1beta3", "flowcontrol.apiserver.k8s.io/v1"),
)


def removal(api: str, kind: str, minor: int) -> Removal | None:
    """The removal that an object of this API and kind meets on Kubernetes 1.`minor`."""
    return next(
        (
            gone
            for gone in _REMOVALS
            if gone.api == api and minor >= gone.minor and (not gone.kinds or kind in gone.kinds)
        ),
        None,
    )
