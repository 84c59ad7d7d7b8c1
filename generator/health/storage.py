"""PersistentVolumeClaim, by gitops-engine's `health_pvc.go`."""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy, progressing, unknown
from generator.kube.fields import section, text
from generator.kube.resource import Object


def assess_claim(manifest: Object) -> Health:
    """Bound, waiting for a volume, or without the volume that it had."""
    phase = text(manifest, "status", "phase")
    volume = text(manifest, "spec", "volumeName")
    match phase:
        case "Bound":
            return healthy(f"bound to {volume}" if volume else "bound")
        case "Lost":
            return degraded(
                f"its volume {volume} no longer exists: restore the volume or the claim"
            )
        case "Pending":
            return progressing(f"waiting for a volume of {_class_words(manifest)}")
        case "":
            return progressing("waiting to be taken in")
        case _:
            return unknown(f"phase {phase}")


def _class_words(manifest: Object) -> str:
    name = section(manifest, "spec").get("storageClassName")
    if name is None:
        return "the default storage class; with WaitForFirstConsumer it waits for its first pod"
    if name == "":
        return "no storage class: it takes a matching PersistentVolume made by hand"
    return f"storage class {name}: see the claim's events"
