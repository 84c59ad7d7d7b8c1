"""What the service asks of a verification after a merge, and what it gets back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from generator.forge.port import CheckState
from service.check_port import Surroundings

STATUS_CONTEXT = "gen-env/verify"
NOT_CONFIGURED = "verification not configured"


@dataclasses.dataclass(frozen=True, slots=True)
class VerifyRequest:
    """A commit on the default branch; `number` is the pull request that it merged, or 0."""

    connection: str
    repository: str
    sha: str
    number: int
    run_id: str
    around: Surroundings


@dataclasses.dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """The verdict over all touched environments, and each one's own word."""

    state: CheckState
    summary: str
    environments: dict[str, str] = dataclasses.field(default_factory=dict)


Verify = Callable[[VerifyRequest], VerifyOutcome]
