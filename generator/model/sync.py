"""How and when the engine applies an environment."""

from typing import Annotated, Literal

import pydantic

from generator.model.base import Bool, Duration, Int, Line, Spec
from generator.model.marks import BuiltIn


class Window(Spec):
    """When syncs are allowed or denied."""

    kind: Literal["allow", "deny"]
    """Whether syncs are allowed or denied meanwhile."""
    schedule: Line
    """Start, as a cron expression."""
    duration: Duration
    """How long it lasts, such as 60h."""
    time_zone: Line = "UTC"
    """Time zone of the schedule, such as Europe/Berlin."""
    manual_sync: Bool = True
    """A person may still sync by hand."""


class Sync(Spec):
    """How the engine applies this environment."""

    automated: Annotated[Bool | None, BuiltIn(development=True, staging=True, production=False)] = (
        None
    )
    """Sync by itself; never while a secret is a stub. True in development by default."""
    prune: Bool = True
    """Automated sync removes what git no longer has; guarded objects ask first."""
    self_heal: Bool = True
    """Automated sync undoes changes made in the cluster."""
    retry_limit: Annotated[Int, pydantic.Field(ge=-1)] = 5
    """Failed syncs in a row that are tried again; -1 never gives up."""
    windows: tuple[Window, ...] = ()
    """Times in which Argo CD may or may not sync."""
