"""What a list and a watch give, with everything left out that nobody asks for.

An object loses its field owners but for their times, the copies of itself that tools keep in
annotations, and the values of environment variables: the memory of a long watch stays small, and
no password that somebody wrote into a pod is ever held.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from generator.kube.resource import Object

_COPIES = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied"}
)
_OWNER_FIELDS = ("manager", "operation", "subresource", "time")


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """A collection at one version; a watch begins from that version."""

    items: tuple[Object, ...]
    version: str


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One change that a watch told: ADDED, MODIFIED, DELETED, or BOOKMARK (a version only)."""

    type: str
    object: Object

    @property
    def version(self) -> str:
        """The version that a later watch may begin from."""
        metadata = self.object.get("metadata")
        found = metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
        return found if isinstance(found, str) else ""


def trimmed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object without what is not needed; the given one is not changed."""
    kept = dict(manifest)
    metadata = kept.get("metadata")
    if isinstance(metadata, Mapping):
        kept["metadata"] = _metadata(metadata)
    if isinstance(kept.get("spec"), Mapping):
        kept["spec"] = _spec(kept["spec"])
    return kept


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(metadata)
    owners = kept.get("managedFields")
    if isinstance(owners, list):
        kept["managedFields"] = [
            {name: owner[name] for name in _OWNER_FIELDS if name in owner}
            for owner in owners
            if isinstance(owner, Mapping)
        ]
    annotations = kept.get("annotations")
    if isinstance(annotations, Mapping):
        kept["annotations"] = {
            name: value for name, value in annotations.items() if name not in _COPIES
        }
    return kept


def _spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(spec)
    for name in ("containers", "initContainers", "ephemeralContainers"):
        if isinstance(kept.get(name), list):
            kept[name] = [_container(item) for item in kept[name] if isinstance(item, Mapping)]
    template = kept.get("template")
    if isinstance(template, Mapping) and isinstance(template.get("spec"), Mapping):
        kept["template"] = {**template, "spec": _spec(template["spec"])}
    return kept


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in container.items() if name not in ("args", "command")}
    if isinstance(kept.get("env"), list):
        kept["env"] = [
            {name: value for name, value in item.items() if name != "value"}
            for item in kept["env"]
            if isinstance(item, Mapping)
        ]
    return kept
