"""The namespace with its Pod Security level, and what may be used in it."""

from __future__ import annotations

from typing import Any

from generator.manifests.metadata import GUARDED, NAMESPACE_WAVE, POLICY_WAVE, WAVE, manifest
from generator.release.release import Release


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
    return manifest(
        release,
        "v1",
        "Namespace",
        environment.namespace,
        {},
        annotations={**GUARDED, WAVE: NAMESPACE_WAVE},
        namespaced=False,
        more_labels=more,
    )


def bounds(release: Release) -> list[dict[str, Any]]:
    """ResourceQuota and LimitRange, where the definition asks for them."""
    environment = release.environment
    found = []
    annotations = {WAVE: POLICY_WAVE}
    if environment.quota is not None:
        body: dict[str, Any] = {"spec": {"hard": dict(sorted(environment.quota.hard.items()))}}
        found.append(
            manifest(
                release,
                "v1",
                "ResourceQuota",
                f"{environment.release}-quota",
                body,
                annotations=annotations,
            )
        )
    if environment.limits is not None:
        limits = environment.limits.model_dump(mode="json", by_alias=True)
        amounts = {name: dict(sorted(part.items())) for name, part in limits.items() if part}
        item = {"type": "Container", **amounts}
        body = {"spec": {"limits": [item]}}
        found.append(
            manifest(
                release,
                "v1",
                "LimitRange",
                f"{environment.release}-limits",
                body,
                annotations=annotations,
            )
        )
    return found
