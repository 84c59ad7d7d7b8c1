"""A rendered release as the checks see it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.helmvalues.values import Engine, ValuesInput
from generator.kube.pods import PodTemplate, Where, pod_templates, rendered_only
from generator.kube.resource import Object


@dataclasses.dataclass(frozen=True)
class Context:
    """What the checks of rendered objects must know of their environment.

    Objects may live in `namespace` and in `other_namespaces`. `secrets` maps names of Secrets
    that exist outside the render to their keys, or to None when nobody knows the keys, and
    `config_maps` names the ConfigMaps that do; with
    `complete` False the rest of the namespace is not known, and what is not declared may be there.
    `where` names the file of an object, and `tier` is '' for objects of no definition. `values` are
    those that the chart was rendered with, for the lines that objects come from; with `server_side`
    the engine applies objects by server-side apply.
    """

    namespace: str = "airflow"
    secrets: Mapping[str, frozenset[str] | None] = dataclasses.field(default_factory=dict)
    config_maps: frozenset[str] = frozenset()
    engine: Engine = "argocd"
    tier: str = ""
    other_namespaces: tuple[str, ...] = ()
    complete: bool = True
    where: Where = rendered_only
    values: ValuesInput | None = None
    server_side: bool = False


@dataclasses.dataclass(frozen=True)
class RenderedInput:
    """Everything that one environment gives to the cluster: chart and manifests together."""

    manifests: tuple[Object, ...]
    context: Context

    @property
    def namespace(self) -> str:
        """The release's own."""
        return self.context.namespace

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All that objects may be in."""
        return (self.context.namespace, *self.context.other_namespaces)

    def of(self, *kinds: str) -> Iterator[Object]:
        """The objects of those kinds, in their order."""
        return (item for item in self.manifests if item.get("kind") in kinds)

    @functools.cached_property
    def templates(self) -> tuple[PodTemplate, ...]:
        """Every pod template, that of task pods included."""
        return tuple(pod_templates(self.manifests))

    def namespace_of(self, manifest: Object) -> str:
        """Where a namespaced object will live."""
        metadata = manifest.get("metadata") or {}
        return str(metadata.get("namespace") or self.namespace)

    def problem(self, rule: Rule, manifest: Object, message: str, hint: str) -> Problem:
        """A finding about one object."""
        return rule.problem(message, path=self.context.where(manifest), hint=hint)
