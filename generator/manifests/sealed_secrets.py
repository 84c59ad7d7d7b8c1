"""SealedSecrets, where the Secrets are in git: stubs, which people seal."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.metadata import SECRET_WAVE, Kind, Manifest, labels
from generator.release.release import Release
from generator.release.secret import SecretNeed
from generator.seal import sealed_secret
from generator.seal.scopes import Scope

SEALED_SECRET = Kind(
    ResourceType("bitnami.com", "v1alpha1", "sealedsecrets", sealed_secret.KIND),
    wave=SECRET_WAVE,
    guarded=True,
    followed=True,
)


def objects(release: Release) -> list[dict[str, Any]]:
    """One stub for each need."""
    return [stub(release, need) for need in release.sealed]


def stub(release: Release, need: SecretNeed) -> dict[str, Any]:
    """The SealedSecret of one need, every key still to be sealed."""
    environment = release.environment
    return sealed_secret.stub(
        need.name,
        environment.namespace,
        need.key_names,
        scope=Scope(environment.secrets.scope),
        annotations=SEALED_SECRET.annotations(environment.engine),
        labels=labels(release),
        secret_type=need.type,
    )


MANIFEST = Manifest("sealed-secrets", (SEALED_SECRET,), objects, sealed=True)
