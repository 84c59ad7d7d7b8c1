"""Where secrets come from: SealedSecret, ExternalSecret and its stores, Certificate.

After Argo CD's `bitnami.com/SealedSecret`, `external-secrets.io/*` and
`cert-manager.io/Certificate` checks.
"""

from __future__ import annotations

from generator.health.conditions import assess_ready
from generator.health.status import Health, degraded, healthy, progressing
from generator.kube.fields import condition, conditions, count, is_stale, text
from generator.kube.resource import Object


def assess_sealed_secret(manifest: Object) -> Health:
    """Unsealed by the controller, or refused by it with its reason."""
    if is_stale(manifest):
        return progressing(
            "waiting for the sealed-secrets controller to process the new ciphertext"
        )
    synced = condition(manifest, "Synced")
    if synced is None or synced.status not in ("True", "False"):
        return progressing("waiting to be unsealed; check that the sealed-secrets controller runs")
    if synced.status == "True":
        return healthy(synced.message or "unsealed")
    return degraded(
        f"cannot be unsealed: {synced.message or synced.reason or 'no reason given'}; "
        "seal it again for this cluster, namespace and name"
    )


def assess_external_secret(manifest: Object) -> Health:
    """Fetched from its store for the present spec, or not, with the operator's reason."""
    if _fetched_generation(manifest) < count(manifest, "metadata", "generation"):
        return progressing("waiting for the external-secrets operator to process the current spec")
    return assess_ready(manifest)


def assess_cluster_external_secret(manifest: Object) -> Health:
    """The newest condition stands last, whatever its type."""
    found = conditions(manifest)
    if found and found[-1].status == "True":
        if found[-1].type == "Ready":
            return healthy(found[-1].words or "ready in every namespace")
        if found[-1].type in ("PartiallyReady", "NotReady"):
            return degraded(
                found[-1].words or "some namespaces failed; see status.failedNamespaces"
            )
    return progressing("waiting for the external-secrets operator")


def assess_certificate(manifest: Object) -> Health:
    """Issuing wins over Ready, so that a renewal is never called a failure."""
    issuing = condition(manifest, "Issuing")
    if issuing is not None and issuing.status == "True":
        return progressing(issuing.words or "being issued")
    if condition(manifest, "Ready") is None:
        return progressing("waiting for cert-manager to issue it; see its CertificateRequest")
    return assess_ready(manifest)


def _fetched_generation(manifest: Object) -> int:
    """The generation in `status.syncedResourceVersion` (`<generation>-<hash>`); without one the
    operator has said nothing about age, and the present generation is assumed."""
    head, dash, _ = text(manifest, "status", "syncedResourceVersion").partition("-")
    generation = count(manifest, "metadata", "generation")
    return int(head) if dash and head.isdecimal() else generation
