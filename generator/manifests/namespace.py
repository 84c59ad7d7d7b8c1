"""The namespace with its Pod Security level, and what may be used in it."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import NAMESPACE_WAVE, POLICY_WAVE, Kind, Manifest, manifest
from generator.release.release import Release

_NAMESPACE = Kind(
    ResourceType("", "v1", "namespaces", "Namespace", namespaced=False),
    wave=NAMESPACE_WAVE,
    guarded=True,
)
_QUOTA = Kind(ResourceType("", "v1", "resourcequotas", "ResourceQuota"), wave=POLICY_WAVE)
_LIMITS = Kind(ResourceType("", "v1", "limitranges", "LimitRange"), wave=POLICY_WAVE)


def objects(release: Release) -> list[dict[str, Any]]:
    """The Namespace, unless it is somebody else's, and its bounds."""
    own = [namespace(release)] if release.owns_namespace else []
    return [*own, *bounds(release)]


def namespace(release: Release) -> dict[str, Any]:
    """The Namespace; it goes only after a person said yes."""
    environment = release.environment
    level = environment.security.pod_security
    more = {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        **environment.namespace_labels,
    }
    return manifest(release, _NAMESPACE, environment.namespace, {}, more_labels=more)


def bounds(release: Release) -> list[dict[str, Any]]:
    """ResourceQuota and LimitRange, where the definition asks for them."""
    environment = release.environment
    found = []
    if environment.quota is not None:
        body: dict[str, Any] = {"spec": {"hard": dict(sorted(environment.quota.hard.items()))}}
        found.append(manifest(release, _QUOTA, f"{environment.release}-quota", body))
    if environment.limits is not None:
        limits = environment.limits.model_dump(mode="json", by_alias=True)
        amounts = {name: dict(sorted(part.items())) for name, part in limits.items() if part}
        body = {"spec": {"limits": [{"type": "Container", **amounts}]}}
        found.append(manifest(release, _LIMITS, f"{environment.release}-limits", body))
    return found


MANIFEST = Manifest("namespace", (_NAMESPACE, _QUOTA, _LIMITS), objects)
