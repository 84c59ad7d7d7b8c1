"""An environment that was taken over: what still stays as it was before gen-env."""

from __future__ import annotations

from typing import Literal, get_args

import pydantic

from generator.model.base import Line, Spec

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


class Adoption(Spec):
    """Taken over as it was: only what this file says reaches the chart, no default, no hardening.

    `gen-env harden` takes one step at a time; with the last one this field goes away.
    """

    steps: tuple[Step, ...] = ()
    """Hardening that is on already."""
    leave: tuple[Line, ...] = ()
    """Chart keys that stay as they were although a field above would set them too."""

    @pydantic.field_validator("steps", "leave")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("an entry stands there twice")
        return value
