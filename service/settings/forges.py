"""The ports to the configured repositories."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable

from generator.core.errors import UserError
from generator.forge.connect import connect
from generator.forge.credentials import App
from generator.forge.github_app import Installation
from generator.forge.port import ForgePort
from generator.forge.transport import Authorize, Transport
from generator.git.mirror import Mirror
from service.settings.schema import Connection
from service.telemetry import instrument


def opener() -> Callable[[Connection, str], ForgePort]:
    """Gives the port to a repository of a connection; each thread has its own.

    The port raises UserError at once when the connection has no credentials.
    """
    kept = threading.local()

    def open_port(connection: Connection, repository: str) -> ForgePort:
        ports: dict[tuple[str, str], ForgePort] = kept.__dict__.setdefault("ports", {})
        place = (connection.name, repository)
        if place not in ports:
            ports[place] = _connect(connection, repository)
        return ports[place]

    return open_port


def _connect(connection: Connection, repository: str) -> ForgePort:
    if connection.credentials is None:
        raise UserError(
            f"the connection {connection.name} has no credentials",
            hint="give it a token or an app in the settings",
        )
    place, told = connection.location(repository), instrument.of_forge(connection.name)
    plain = frozenset(connection.plain_http)
    return connect(place, connection.credentials, ca=connection.ca_file, watch=told, plain=plain)


def git_token(connection: Connection, repository: str) -> str:
    """What git's transport logs in with; empty without credentials; an App's lives an hour."""
    app = connection.credentials
    if isinstance(app, App):
        return installation(connection, app, repository).authorize()[1].text()
    return connection.token.text() if connection.token else ""


def fetch(
    mirror: Mirror, connection: Connection, repository: str, refspecs: list[str], **bounds: int
) -> None:
    """Fetch from the configured address; raises RemoteError, and UserError without a token."""
    with instrument.of_fetch():
        mirror.fetch(
            connection.git_url(repository), refspecs, git_token(connection, repository),
            username=connection.git_username, allow_http=connection.allow_http, **bounds,
        )  # fmt: skip


@functools.lru_cache(maxsize=256)
def installation(connection: Connection, app: App, repository: str) -> Installation:
    """The App on a repository, kept: its token is renewed only when it is about to end."""

    def transport(authorize: Authorize) -> Transport:
        return Transport(
            connection.location(repository).api_url, authorize, ca=connection.ca_file,
            watch=instrument.of_forge(connection.name), plain=frozenset(connection.plain_http),
        )  # fmt: skip

    return Installation(app, repository, transport, time.time)
