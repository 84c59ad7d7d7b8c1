"""An environment that was taken over: what still stays as it was before gen-env."""

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


KEPT_BY_FLUX = (
    *("interval", "timeout", "maxHistory", "persistentClient", "suspend", "serviceAccountName"),
    *("install", "upgrade", "rollback", "uninstall", "test", "driftDetection", "dependsOn"),
    *("waitStrategy", "healthChecks", "healthCheckExprs"),
)
"""Fields of a HelmRelease that say how and when Flux installs, not what (helm v2)."""

OFF_BY_FLUX = ("disableHooks", "preserveValues")
"""Fields of its `install` and `upgrade` that change what is installed all the same."""

BY_FLUX = ("kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/", "config.kubernetes.io/")
"""Labels and annotations by which kustomize or Flux apply an object otherwise."""


class HelmReleaseSettings(Spec):
    """Settings of the Flux HelmRelease as they were before gen-env, word for word."""

    labels: dict[str, Text] = {}
    """Labels; gen-env's own are added."""
    annotations: dict[str, Text] = {}
    """Annotations; gen-env's own are added."""
    spec: AsWritten = {}
    """Fields of `spec` that say how Flux installs, written instead of gen-env's own."""

    @pydantic.field_validator("labels", "annotations")
    @classmethod
    def _steers_nothing(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name.startswith(BY_FLUX):
                raise ValueError(f"'{name}' would change how Flux applies the HelmRelease")
        return value

    @pydantic.field_validator("spec")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in KEPT_BY_FLUX:
                raise ValueError(f"'{name}' is not one of {', '.join(sorted(KEPT_BY_FLUX))}")
            off = value[name] if isinstance(value[name], dict) else {}
            if field := next((field for field in OFF_BY_FLUX if off.get(field)), None):
                raise ValueError(f"'{name}.{field}' changes what Flux installs")
        return value


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
    helm_release: HelmReleaseSettings | None = None
    """Settings of the Flux HelmRelease that stay as they were until hardening is complete."""

    @pydantic.field_validator("steps", "leave")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("an entry appears twice")
        return value
