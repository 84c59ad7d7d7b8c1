"""A rendered release as the checks see it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

from generator.checks.objects import PodTemplate, Where, pod_templates, rendered_only
from generator.checks.rule import Rule
from generator.checks.values_input import Engine
from generator.problem import Problem
from generator.resource import Object


@dataclasses.dataclass(frozen=True)
class RenderedInput:
    """Everything that one environment gives to the cluster: chart and manifests together.

    `namespaces` are those that objects may be in, the release's own first. `secrets` maps names
    of Secrets that exist outside to their keys, or to None when the keys are not known; with
    `secrets_known` False a Secret that is not declared is not called missing.
    """

    manifests: list[Object]
    namespaces: tuple[str, ...] = ("airflow",)
    engine: Engine = "argocd"
    secrets: Mapping[str, frozenset[str] | None] = dataclasses.field(default_factory=dict)
    secrets_known: bool = True
    where: Where = rendered_only

    @property
    def namespace(self) -> str:
        """The release's own."""
        return self.namespaces[0]

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
        return Problem(rule.id, rule.severity, message, path=self.where(manifest), hint=hint)
