"""How a kind of object beside the chart is declared, and the metadata that every object carries."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.core.problem import Problem
from generator.kube.resource import Object
from generator.kube.resource_type import ResourceType
from generator.model.environment import Engine
from generator.release.release import Release

GUARD = {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}
"""Argo CD asks a person before it prunes or deletes such an object (Argo CD >= 3.1)."""

FLUX_GUARD = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
"""Flux never prunes or deletes such an object; a person does."""

WAVE = "argocd.argoproj.io/sync-wave"
NAMESPACE_WAVE, SECRET_WAVE, POLICY_WAVE = -10, -5, -3
"""What an environment stands on comes before the chart's objects, which have wave 0."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its name in the API, and what the engine and `verify` do with it.

    `wave` is its turn in a sync; a `guarded` one goes only after a person said yes; `followed`
    (namespaced kinds only) gives `verify` the right to watch it, and its health then counts; where
    it is not `always`, in the environments that have such an object. An AppProject allows an
    `optional` one only where one of its environments has such an object.
    """

    resource: ResourceType
    wave: int = 0
    guarded: bool = False
    followed: bool = False
    always: bool = True
    optional: bool = False

    def annotations(self, engine: Engine) -> dict[str, str]:
        """What tells the engine so; Flux takes the order from its Kustomizations."""
        if engine == "flux":
            return dict(FLUX_GUARD) if self.guarded else {}
        wave = {WAVE: str(self.wave)} if self.wave else {}
        return {**(GUARD if self.guarded else {}), **wave}


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """What one module adds to a release: its kinds, its objects, and what stands in their way.

    The objects are written to `generated/manifests/<name>.yaml`, or, where people have to seal
    them, to a file each below `secrets/`.
    """

    name: str
    kinds: tuple[Kind, ...]
    objects: Callable[[Release], Sequence[Object]]
    problems: Callable[[Release], tuple[Problem, ...]] = lambda _: ()
    sealed: bool = False

    @property
    def comes_first(self) -> bool:
        """Whether the chart's objects need all of it."""
        return all(kind.wave < 0 for kind in self.kinds)


def labels(release: Release) -> dict[str, str]:
    """Labels of ours; never those by which the chart's Services and policies select."""
    return {
        "app.kubernetes.io/managed-by": "gen-env",
        "app.kubernetes.io/part-of": "airflow",
        "gen-env.dev/environment": release.resolved.name.replace("/", "."),
        **release.environment.labels,
    }


def manifest(
    release: Release,
    kind: Kind,
    name: str,
    body: Mapping[str, Any],
    *,
    more_labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One object with our labels and its kind's annotations, in the environment's namespace."""
    metadata: dict[str, Any] = {"name": name}
    if kind.resource.namespaced:
        metadata["namespace"] = release.environment.namespace
    metadata["labels"] = dict(sorted({**labels(release), **(more_labels or {})}.items()))
    if annotations := kind.annotations(release.environment.engine):
        metadata["annotations"] = dict(sorted(annotations.items()))
    resource = kind.resource
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        **body,
    }
