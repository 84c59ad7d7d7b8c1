"""What keeps an object in the cluster although it left git."""

from __future__ import annotations

from typing import Literal

from generator.kube import fields
from generator.kube.resource import Object

_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_FLUX_MARKS = ("kustomize.toolkit.fluxcd.io/prune", "kustomize.toolkit.fluxcd.io/reconcile")
_HELM_POLICY = "helm.sh/resource-policy"

Pruner = Literal["argocd", "flux", "helm"]
"""What deletes an object that left git: Argo CD, a Kustomization of Flux, or Helm under Flux."""


def sync_options(manifest: Object) -> frozenset[str]:
    """The sync options of one object, such as `Prune=false`."""
    annotations = fields.section(manifest, "metadata", "annotations")
    parts = str(annotations.get(_SYNC_OPTIONS) or "").split(",")
    return frozenset(part.strip() for part in parts) - {""}


def protection(manifest: Object, pruner: Pruner = "argocd") -> str:
    """`kept`, `confirm` or nothing, from the annotations of what is running (the base).

    Under Flux each pruner follows its own annotation alone: Helm ignores `prune: disabled`, and a
    Kustomization ignores Helm's `keep` (kustomize-controller 1.9, helm v4).
    """
    annotations = fields.section(manifest, "metadata", "annotations")
    kept = annotations.get(_HELM_POLICY) == "keep"
    if pruner == "helm":
        return "kept" if kept else ""
    if pruner == "flux":
        marks = {**fields.section(manifest, "metadata", "labels"), **annotations}
        return "kept" if any(marks.get(name) == "disabled" for name in _FLUX_MARKS) else ""
    options = sync_options(manifest)
    if "Prune=false" in options or kept:
        return "kept"
    return "confirm" if "Prune=confirm" in options else ""


def is_suspended(manifest: Object) -> bool:
    """Whether it is a HelmRelease that Flux deletes without uninstalling its release."""
    is_release = manifest.get("kind") == "HelmRelease"
    return is_release and fields.at(manifest, "spec", "suspend") is True
