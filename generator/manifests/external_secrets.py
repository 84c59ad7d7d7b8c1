"""ExternalSecrets, where an operator brings the Secrets from a store."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import SECRET_WAVE, Kind, Manifest, manifest
from generator.release.release import Release
from generator.release.secret import SecretNeed

_PROVIDER = "external-secrets"
_EXTERNAL_SECRET = Kind(
    ResourceType("external-secrets.io", "v1", "externalsecrets", "ExternalSecret"),
    wave=SECRET_WAVE,
    guarded=True,
    followed=True,
)


def objects(release: Release) -> list[dict[str, Any]]:
    """One ExternalSecret for each need of this provider, from the store of the definition."""
    return [_external(release, need) for need in release.needs if need.provider == _PROVIDER]


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
        _EXTERNAL_SECRET,
        need.name,
        {"spec": spec},
    )


MANIFEST = Manifest("external-secrets", (_EXTERNAL_SECRET,), objects)
