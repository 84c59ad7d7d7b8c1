"""Flux's kinds, after Argo CD's checks below `helm.toolkit.fluxcd.io` and its neighbours."""

from __future__ import annotations

from generator.health.conditions import assess_ready, assess_standard
from generator.health.status import Health, degraded, healthy, suspended
from generator.kube.fields import condition, section, text
from generator.kube.resource import Object


def assess_helm_release(manifest: Object) -> Health:
    """Ready, and the release itself made: a rollback that succeeded is a failed release."""
    health = assess_flux(manifest)
    released = condition(manifest, "Released")
    if health.status == "Healthy" and released is not None and released.status == "False":
        return degraded(f"not released: {released.words}")
    return health


def assess_flux(manifest: Object) -> Health:
    """Suspended by spec, or by Ready, Stalled and Reconciling."""
    if section(manifest, "spec").get("suspend") is True:
        return suspended(f"suspended: `flux resume` the {text(manifest, 'kind')} to go on")
    return assess_ready(manifest)


def assess_helm_repository(manifest: Object) -> Health:
    """One of type `oci` is never reconciled: it has no status to read."""
    if text(manifest, "spec", "type") == "oci" and not section(manifest, "status"):
        if section(manifest, "spec").get("suspend") is True:
            return assess_standard(manifest)
        return healthy("a repository of type oci reports no status")
    return assess_flux(manifest)
