"""What brings the Secrets to the cluster: SealedSecret stubs or ExternalSecrets."""

from __future__ import annotations

from typing import Any

from generator.manifests.metadata import GUARDED, SECRET_WAVE, WAVE, labels, manifest
from generator.release.release import Release
from generator.release.secret import SecretNeed
from generator.seal import sealed_secret
from generator.seal.scopes import Scope


def stub(release: Release, need: SecretNeed) -> dict[str, Any]:
    """The SealedSecret of one need, every key still to be sealed."""
    environment = release.environment
    return sealed_secret.stub(
        need.name,
        environment.namespace,
        need.key_names,
        scope=Scope(environment.secrets.scope),
        annotations={**GUARDED, WAVE: SECRET_WAVE},
        labels=labels(release),
        secret_type=need.type,
    )


def external(release: Release) -> list[dict[str, Any]]:
    """One ExternalSecret for each need, from the store that the definition names."""
    secrets = release.environment.secrets
    if secrets.provider != "external-secrets" or secrets.store is None:
        return []
    return [_external(release, need) for need in release.needs]


def _external(release: Release, need: SecretNeed) -> dict[str, Any]:
    secrets = release.environment.secrets
    assert secrets.store is not None
    path = (
        secrets.path.replace("{environment}", release.resolved.name)
        .replace("{namespace}", release.environment.namespace)
        .replace("{secret}", need.name)
    )
    spec = {
        "data": [
            {"secretKey": key, "remoteRef": {"key": path, "property": key}}
            for key in need.key_names
        ],
        "refreshInterval": secrets.refresh_interval,
        "secretStoreRef": {"kind": secrets.store.kind, "name": secrets.store.name},
        "target": {
            "creationPolicy": "Owner",
            "name": need.name,
            "template": {"type": need.type},
        },
    }
    return manifest(
        release,
        "external-secrets.io/v1",
        "ExternalSecret",
        need.name,
        {"spec": spec},
        annotations={**GUARDED, WAVE: SECRET_WAVE},
    )
