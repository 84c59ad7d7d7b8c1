"""From a place and credentials to the adapter that speaks that forge's language."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from generator.core.errors import UserError
from generator.forge import gitea, github_app, gitlab
from generator.forge.credentials import App, Credentials
from generator.forge.github import GitHub
from generator.forge.location import Location
from generator.forge.port import ForgeKind, ForgePort
from generator.forge.transport import Authorize, Transport, Watch


def connect(
    location: Location,
    credentials: Credentials,
    *,
    ca: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
    watch: Watch | None = None,
    plain: frozenset[str] = frozenset(),
) -> ForgePort:
    """The port to one repository. Nothing is sent yet; `ca` is a bundle for a self-hosted forge.

    `watch` is told of every request. `plain` are hosts that may be spoken to without TLS.

    Raises UserError for an API address a token must not go to, and for an App elsewhere than on
    GitHub.
    """

    def transport(authorize: Authorize) -> Transport:
        return Transport(
            location.api_url, authorize, ca=ca, sleep=sleep, clock=clock, watch=watch, plain=plain
        )

    if isinstance(credentials, App):
        if location.kind is not ForgeKind.GITHUB:
            raise UserError("an App is GitHub's; give a token for this forge")
        app = github_app.Installation(credentials, location.repository, transport, clock)
        return GitHub(transport(app.authorize), location, login=app.login, check_runs=True)
    token = credentials.value
    match location.kind:
        case ForgeKind.GITHUB:
            return GitHub(transport(functools.partial(github_app.bearer, token)), location)
        case ForgeKind.GITLAB:
            return gitlab.GitLab(transport(functools.partial(gitlab.bearer, token)), location)
        case ForgeKind.GITEA:
            return gitea.Gitea(transport(functools.partial(gitea.bearer, token)), location)
        case _ as unreachable:
            assert_never(unreachable)
