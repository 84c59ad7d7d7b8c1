"""What a run works with, and what a check is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from generator.forge.port import ForgePort
from service.model.check import CheckOutcome, Grants
from service.settings.schema import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """A run's handles on one repository; the worker makes them for each run.

    `is_current` is false as soon as a newer event of the same thing was accepted: ask it before
    every write to the outside. `data_dir` is ours to keep mirrors and caches in, shared by all
    workers of this host.
    """

    connection: Connection
    repository: str
    run_id: str
    forge: ForgePort
    data_dir: Path
    report_url: str
    is_current: Callable[[], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class CheckRequest:
    """One pull request to check at one commit.

    `head_sha` is what the event or the poll named; the check reads the pull request again and
    answers `superseded` when its head is another by now. It is empty where the event names no
    commit (a comment): then the check pins the head that it reads. A merge group has no number
    (0): `base_sha` and `head_sha` are all there is, and there is no comment to write.
    """

    context: Context
    number: int
    head_sha: str
    base_sha: str = ""
    grants: Grants = dataclasses.field(default_factory=Grants)


Check = Callable[[CheckRequest], CheckOutcome]
"""The work on one pull request.

It sets the status (pending first) and the comment itself, and does it so that running it again
changes nothing. Raises UserError for what people must mend and is then not tried again;
`generator.forge.errors` that may pass (Unavailable, RateLimited) and anything else are tried again
with growing waits.
"""
