"""What the cluster differs in from what git says: planted changes, and nothing that is normal."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Any, Protocol

from generator.cluster.errors import ClusterError, Trouble
from generator.diff import listing
from generator.diff.model import Limits
from generator.diff.unified import unified
from generator.kube.fields import section
from generator.kube.resource import Key, Object, key_of
from generator.kube.resource_type import ResourceType
from generator.redaction import manifests
from generator.redaction.text import redact
from generator.verify.equivalence import as_desired, without_server_fields

ARGO_CD = "argocd-controller"
"""The field manager with which Argo CD applies; as it we see what its next sync would change."""

_MARKS = {
    "annotations": ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id"),
    "labels": ("app.kubernetes.io/instance",),
}
"""How Argo CD tracks what is its own: by annotation, by label, or by both."""
_HOOKS = frozenset({"argocd.argoproj.io/hook", "helm.sh/hook"})


class Kind(enum.StrEnum):
    """How an object differs."""

    MISSING = "missing"
    CHANGED = "changed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Drift:
    """One object that is not as git says.

    `diff` goes from the live object to the desired one; `message` says what a diff cannot: that
    the object is missing, that the server would refuse it, or that it could not be read.
    """

    key: Key
    kind: Kind
    message: str = ""
    diff: str = ""

    def as_json(self) -> dict[str, str]:
        """Identity, kind of drift, message and diff."""
        return {
            "kind": self.key.kind,
            "namespace": self.key.namespace,
            "name": self.key.name,
            "drift": self.kind.value,
            "message": self.message,
            "diff": self.diff,
        }


class LivePort(Protocol):
    """What the comparison asks of a cluster; every call may raise ClusterError."""

    def resource_type(self, manifest: Object) -> ResourceType | None:
        """How the kind is served."""

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        """The live object."""

    def apply_dry_run(self, manifest: Object, namespace: str, *, manager: str) -> Object:
        """What an apply would make of it."""


def drift(
    cluster: LivePort,
    manifests: Iterable[Object],
    *,
    namespace: str = "",
    dry_run: bool = True,
    manager: str = ARGO_CD,
) -> list[Drift]:
    """Every object that differs, in the one order; hooks come and go and are left out.

    With the right to dry-run the API server itself says what an apply would change, defaulting
    and admission included. Where it is refused (403), or without `dry_run`, the fields that git
    gives are compared with the live ones, tolerant of what servers fill in and rewrite. Raises
    ClusterError only if the cluster cannot be reached at all.
    """
    found = [
        one
        for manifest in manifests
        if not _HOOKS & set(section(manifest, "metadata", "annotations"))
        for one in [_drift_of(cluster, manifest, namespace, manager if dry_run else "")]
        if one is not None
    ]
    return sorted(found, key=lambda item: item.key.sort_key)


def _drift_of(cluster: LivePort, manifest: Object, namespace: str, manager: str) -> Drift | None:
    key = key_of(manifest, namespace)
    try:
        resource = cluster.resource_type(manifest)
        if resource is None:
            words = f"the cluster does not serve {manifest.get('apiVersion')} {key.kind}"
            return Drift(key, Kind.MISSING, words)
        if not resource.namespaced:
            key = dataclasses.replace(key, namespace="")
        live = cluster.get(resource, key.namespace, key.name)
        if live is None:
            return Drift(key, Kind.MISSING, "not found in the cluster")
        return _compared(cluster, manifest, live, key, manager)
    except ClusterError as error:
        if error.trouble in (Trouble.UNREACHABLE, Trouble.UNAUTHORIZED):
            raise
        return Drift(key, Kind.UNKNOWN, redact(error.message))


def _compared(
    cluster: LivePort, manifest: Object, live: Object, key: Key, manager: str
) -> Drift | None:
    if manager:
        try:
            wanted = _as_argo_cd_applies(manifest, live)
            applied = cluster.apply_dry_run(wanted, key.namespace, manager=manager)
        except ClusterError as error:
            if error.trouble is Trouble.REFUSED:
                return Drift(key, Kind.REFUSED, redact(error.message))
            if error.trouble is not Trouble.FORBIDDEN:
                raise
        else:
            return _difference(key, without_server_fields(live), without_server_fields(applied))
    return _difference(key, *as_desired(live, manifest))


def _difference(key: Key, live: Any, desired: Any) -> Drift | None:
    if live == desired:
        return None
    before, after = manifests.mask(live, desired)
    shown = unified(listing.lines(before), listing.lines(after), Limits())
    return Drift(key, Kind.CHANGED, diff=shown.text)


def _as_argo_cd_applies(manifest: Object, live: Object) -> Object:
    """With the marks that Argo CD adds to what it applies, as the live object has them.

    Without status: server-side apply refuses an object that brings its own.
    """
    metadata = dict(section(manifest, "metadata"))
    for field, names in _MARKS.items():
        given, found = section(manifest, "metadata", field), section(live, "metadata", field)
        kept = {name: found[name] for name in names if name in found and name not in given}
        if kept:
            metadata[field] = {**given, **kept}
    plain = {name: value for name, value in manifest.items() if name != "status"}
    return {**plain, "metadata": metadata}
