"""Argo CD's own kinds: Application (the check that its manual tells to install), ApplicationSet."""

from __future__ import annotations

from generator.health.status import Health, Status, degraded, healthy, progressing, unknown
from generator.kube.fields import condition, entries, text
from generator.kube.resource import Object


def assess_application(manifest: Object) -> Health:
    """What the controller wrote in `status.health`, with the reasons that stand elsewhere."""
    written = text(manifest, "status", "health", "status")
    if not written:
        return progressing(_reasons(manifest) or "waiting for Argo CD's first reconciliation")
    if written not in set(Status):
        return unknown(f"Argo CD reports the unknown health {written!r}")
    own = text(manifest, "status", "health", "message")
    return Health(Status(written), "; ".join(filter(None, (own, _reasons(manifest)))))


def assess_application_set(manifest: Object) -> Health:
    """Errors first, then a roll-out that goes on, then up to date."""
    for kind, bad in (("ErrorOccurred", "True"), ("ResourcesUpToDate", "False")):
        found = condition(manifest, kind)
        if found is not None and found.status == bad:
            return degraded(found.words)
    rolling = condition(manifest, "RolloutProgressing")
    if rolling is not None and rolling.status == "True":
        return progressing(rolling.words)
    current = condition(manifest, "ResourcesUpToDate")
    if current is not None and current.status == "True":
        return healthy(current.words)
    return progressing("waiting for the ApplicationSet controller's first report")


def _reasons(manifest: Object) -> str:
    """Sync status, error conditions and the operation, as far as they ask for something."""
    sync = text(manifest, "status", "sync", "status")
    parts = [sync] if sync else []
    for item in entries(manifest, "status", "conditions"):
        if text(item, "type").endswith("Error"):
            parts.append(f"{text(item, 'type')}: {text(item, 'message')}")
    phase = text(manifest, "status", "operationState", "phase")
    if phase and phase != "Succeeded":
        parts.append(f"operation {phase}: {text(manifest, 'status', 'operationState', 'message')}")
    return "; ".join(parts)
