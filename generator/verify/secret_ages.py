"""How old each Secret's contents are, from the object that creates it: Secrets are not read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from generator.kube.fields import entries, is_stale, is_true, name_of, text
from generator.kube.resource import Object
from generator.seal.sealed_secret import KIND as SEALED_SECRET
from generator.verify.snapshot import SecretMeta, moment_at

_EXTERNAL_SECRET = "ExternalSecret"


def secret_ages(manifests: Iterable[Object]) -> Iterator[SecretMeta]:
    """When each Secret got its current contents, from the status of the object that creates it.

    An ExternalSecret with periodic refreshes does not report when one changed anything: its
    contents are at most as new as the last one (external-secrets, `Status.RefreshTime`).
    """
    for item in manifests:
        if text(item, "kind") == SEALED_SECRET:
            name = text(item, "spec", "template", "metadata", "name") or name_of(item)
            unsealed, applied = _unsealed_at(item), _applied_at(item)
            if unsealed is not None:
                yield SecretMeta(name, unsealed, SEALED_SECRET)
            elif applied is not None:
                yield SecretMeta(name, applied, SEALED_SECRET, is_unsealed=False)
        elif text(item, "kind") == _EXTERNAL_SECRET:
            name = text(item, "spec", "target", "name") or name_of(item)
            refreshed = moment_at(item, "status", "refreshTime")
            if refreshed is not None:
                yield SecretMeta(name, refreshed, _EXTERNAL_SECRET, at_latest=_is_periodic(item))


def _unsealed_at(item: Object) -> datetime.datetime | None:
    """The controller writes the time when it unseals a new generation, and not again
    (sealed-secrets, pkg/controller/controller.go: updateSealedSecretsStatusConditions)."""
    if not is_true(item, "Synced") or is_stale(item):
        return None
    times = (
        moment_at(entry, "lastUpdateTime")
        for entry in entries(item, "status", "conditions")
        if text(entry, "type") == "Synced"
    )
    return next(times, None)


def _applied_at(item: Object) -> datetime.datetime | None:
    """Field owners carry the time of their last change; those of `status` are the controller's."""
    times = [
        found
        for owner in entries(item, "metadata", "managedFields")
        if text(owner, "subresource") != "status"
        for found in [moment_at(owner, "time")]
        if found is not None
    ]
    return max(times, default=moment_at(item, "metadata", "creationTimestamp"))


def _is_periodic(item: Object) -> bool:
    """`refreshPolicy` is Periodic by default; an interval of zero ends it after the first time."""
    if text(item, "spec", "refreshPolicy") in ("CreatedOnce", "OnChange"):
        return False
    interval = text(item, "spec", "refreshInterval")
    return not interval or interval.strip("0hms") != ""
