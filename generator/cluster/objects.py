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
        revision = metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
        return revision if isinstance(revision, str) else ""


def trimmed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object without what is not needed; the given one is not changed."""
    result = dict(manifest)
    metadata = result.get("metadata")
    if isinstance(metadata, Mapping):
        result["metadata"] = _metadata(metadata)
    if isinstance(result.get("spec"), Mapping):
        result["spec"] = _spec(result["spec"])
    return result


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(metadata)
    owners = result.get("managedFields")
    if isinstance(owners, list):
        result["managedFields"] = [
            {name: owner[name] for name in _OWNER_FIELDS if name in owner}
            for owner in owners
            if isinstance(owner, Mapping)
        ]
    annotations = result.get("annotations")
    if isinstance(annotations, Mapping):
        result["annotations"] = {
            name: value for name, value in annotations.items() if name not in _COPIES
        }
    return result


def _spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(spec)
    for name in ("containers", "initContainers", "ephemeralContainers"):
        if isinstance(result.get(name), list):
            result[name] = [_container(item) for item in result[name] if isinstance(item, Mapping)]
    template = result.get("template")
    if isinstance(template, Mapping) and isinstance(template.get("spec"), Mapping):
        result["template"] = {**template, "spec": _spec(template["spec"])}
    return result


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    result = {name: value for name, value in container.items() if name not in ("args", "command")}
    if isinstance(result.get("env"), list):
        result["env"] = [
            {name: value for name, value in item.items() if name != "value"}
            for item in result["env"]
            if isinstance(item, Mapping)
        ]
    return result
