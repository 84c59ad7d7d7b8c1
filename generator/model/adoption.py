"""An environment that was taken over: what still stays as it was before gen-env."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import pydantic

from generator.model.base import Count, Line, Spec, Text
from generator.yaml.scalars import as_helm

Step = Literal[
    "housekeeping",
    "resources",
    "availability",
    "hooks",
    "image",
    "scaling",
    "identity",
    "config",
    "guards",
    "contexts",
    "namespace",
    "secrets",
    "network",
    "storage",
    "naming",
    "rest",
]
STEPS: tuple[Step, ...] = get_args(Step)
"""The hardening steps, the least risky one first."""


def _as_argocd_reads(value: Any) -> Any:
    """Unquoted scalars arrive as their source text; Argo CD reads them as Helm does."""
    return as_helm(value)[0]


AsWritten = Annotated[dict[str, Any], pydantic.BeforeValidator(_as_argocd_reads)]


class ApplicationSettings(Spec):
    """Settings of the Argo CD Application as they were before gen-env, word for word."""

    labels: dict[str, Text] = {}
    """Labels; gen-env's own are added."""
    annotations: dict[str, Text] = {}
    """Annotations, such as sync waves and notifications."""
    finalizers: tuple[Line, ...] = ()
    """Finalizers; one that deletes all objects with the Application counts in development only."""
    sync_policy: AsWritten = {}
    """Written instead of gen-env's own; `automated` only while no secret is a stub."""
    ignore_differences: tuple[AsWritten, ...] = ()
    """Fields whose differences Argo CD ignores."""
    info: tuple[AsWritten, ...] = ()
    """What Argo CD's pages show beside the Application."""
    revision_history_limit: Count | None = None
    """How many past syncs Argo CD keeps; its own default where this is not set."""


class Adoption(Spec):
    """Taken over as it was: only what this file says reaches the chart, no default, no hardening.

    `gen-env harden` takes one step at a time; with the last one this field goes away.
    """

    steps: tuple[Step, ...] = ()
    """Hardening that is on already."""
    leave: tuple[Line, ...] = ()
    """Chart keys that stay as they were although a field above would set them too."""
    application: ApplicationSettings | None = None
    """Settings of the Argo CD Application that stay as they were until hardening is complete."""

    @pydantic.field_validator("steps", "leave")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("an entry appears twice")
        return value
