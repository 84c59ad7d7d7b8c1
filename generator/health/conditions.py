"""Everything that reports itself by the standard conditions Ready, Stalled and Reconciling.

https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md names them; Argo CD's
Lua checks read Ready alone, and take Ready: False for a failure.
"""

from __future__ import annotations

from generator.health.status import Health, degraded, healthy, progressing, suspended
from generator.kube.fields import condition, conditions, is_stale, is_true, section, text
from generator.kube.resource import Object


def assess_standard(manifest: Object) -> Health:
    """By the conditions that the object has; without any it has nothing to wait for."""
    if section(manifest, "spec").get("suspend") is True:
        return suspended(f"the {_kind(manifest)} is suspended by spec.suspend")
    if not {item.type for item in conditions(manifest)} & {"Ready", "Stalled", "Reconciling"}:
        return healthy(f"exists; a {_kind(manifest)} reports no readiness")
    return assess_ready(manifest)


def assess_ready(manifest: Object) -> Health:
    """For a kind that is known to report Ready: until it does, it is Progressing."""
    kind = _kind(manifest)
    if is_stale(manifest):
        return progressing(f"waiting for the controller to process the current spec of the {kind}")
    stalled, ready = condition(manifest, "Stalled"), condition(manifest, "Ready")
    if stalled is not None and stalled.status == "True":
        return degraded(stalled.words or f"the {kind} is stalled")
    if is_true(manifest, "Reconciling") and (ready is None or ready.status != "False"):
        moving = condition(manifest, "Reconciling")
        return progressing((moving.words if moving else "") or f"the {kind} is being reconciled")
    if ready is None or ready.status == "Unknown":
        return progressing((ready.words if ready else "") or f"waiting for the {kind} to be ready")
    if ready.status == "True":
        return healthy(ready.words or "ready")
    return degraded(ready.words or f"the {kind} is not ready and gives no reason")


def _kind(manifest: Object) -> str:
    return text(manifest, "kind") or "object"
