"""What every endpoint works with, kept on the application."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import cast

import sqlalchemy as sa
from flask import current_app

from generator.forge.port import ForgeKind
from service.queue.intake import Intake
from service.queue.jobs import Jobs
from service.settings.schema import Settings

KEY = "gen-env"
"""Its name among the extensions of the application."""
_PULLS = {ForgeKind.GITHUB: "pull", ForgeKind.GITLAB: "-/merge_requests", ForgeKind.GITEA: "pulls"}


@dataclasses.dataclass(frozen=True)
class Context:
    """Handles to the outside, made once per process."""

    settings: Settings
    engine: sa.Engine
    jobs: Jobs
    intake: Intake
    clock: Callable[[], float] = time.time


def context() -> Context:
    """The context of the application that answers this request."""
    return cast(Context, current_app.extensions[KEY])


def pull_url(connection: str, repository: str, number: int) -> str:
    """The page of a pull request; empty for a connection that the settings no longer have."""
    known = context().settings.connection(connection)
    if known is None or not number:
        return ""
    return f"{known.location(repository).page}/{_PULLS[known.kind]}/{number}"


def commit_url(connection: str, repository: str, sha: str) -> str:
    """The page of a commit; empty as above."""
    known = context().settings.connection(connection)
    return known.location(repository).commit_url(sha) if known and sha else ""
