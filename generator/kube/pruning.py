"""What keeps an object in the cluster although it left git."""

from __future__ import annotations

from generator.kube import fields
from generator.kube.resource import Object

_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_FLUX_PRUNE = "kustomize.toolkit.fluxcd.io/prune"
_HELM_POLICY = "helm.sh/resource-policy"


def sync_options(manifest: Object) -> frozenset[str]:
    """The sync options of one object, such as `Prune=false`."""
    annotations = fields.section(manifest, "metadata", "annotations")
    parts = str(annotations.get(_SYNC_OPTIONS) or "").split(",")
    return frozenset(part.strip() for part in parts) - {""}


def protection(manifest: Object, *, flux: bool = False) -> str:
    """`kept`, `confirm` or nothing, from the annotations of what is running (the base).

    `flux` if Flux applies it: its own annotation counts then, and those of Argo CD do not.
    """
    annotations = fields.section(manifest, "metadata", "annotations")
    kept = annotations.get(_HELM_POLICY) == "keep"
    if flux:
        return "kept" if kept or annotations.get(_FLUX_PRUNE) == "disabled" else ""
    options = sync_options(manifest)
    if "Prune=false" in options or kept:
        return "kept"
    return "confirm" if "Prune=confirm" in options else ""


def is_suspended(manifest: Object) -> bool:
    """Whether it is a HelmRelease that Flux deletes without uninstalling its release."""
    is_release = manifest.get("kind") == "HelmRelease"
    return is_release and fields.at(manifest, "spec", "suspend") is True
