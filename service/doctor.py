"""`doctor`: whether everything that the service needs is there, and what to do where it isn't."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.errors import UserError
from service.forges import opener
from service.remote import branch_head
from service.settings import Connection, Settings


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; without a problem it is fine."""

    subject: str
    problem: str = ""
    hint: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed but the data folder."""
    yield _tried("data folder", lambda: _writable(settings.data_dir))
    yield _tried("database", lambda: _database(settings))
    yield _tried("chart cache", _chart_cache)
    yield _api(settings)
    for connection in settings.connections:
        yield _webhook(connection)
        for repository in connection.repositories:
            place = f"{connection.name}: {repository}"
            yield _tried(f"{place}: API", functools.partial(_forge, connection, repository))
            git = functools.partial(_git, settings, connection, repository)
            yield _tried(f"{place}: git", git)


def _tried(subject: str, look: Callable[[], None]) -> Finding:
    try:
        look()
    except UserError as error:
        return Finding(subject, error.message, error.hint)
    return Finding(subject)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder} cannot be written to", hint="give it to the service's user")


def _database(settings: Settings) -> None:
    from service.setup import prepare

    prepare(settings)


def _chart_cache() -> None:
    named = os.environ.get("GEN_ENV_CHART_CACHE")
    folder = Path(named) if named else Path("~/.cache/gen-env/charts").expanduser()
    if not any(folder.glob("*.tgz")):
        raise UserError(
            f"no charts in {folder}",
            hint="fine where the chart's repository can be reached; else gen-env chart add FILE",
        )


def _api(settings: Settings) -> Finding:
    if settings.api_token is None:
        return Finding("API token", "not set: the API is off", "set apiToken to a file or variable")
    return Finding("API token")


def _webhook(connection: Connection) -> Finding:
    subject = f"{connection.name}: webhook secret"
    if connection.webhook_secrets:
        return Finding(subject)
    return Finding(
        subject,
        "not set: deliveries are refused with 501",
        f"make one (openssl rand -hex 32), name it in webhookSecrets, and give the forge "
        f"/webhooks/{connection.name}",
    )


def _forge(connection: Connection, repository: str) -> None:
    opener()(connection, repository).list_open_prs()


def _git(settings: Settings, connection: Connection, repository: str) -> None:
    if branch_head(settings.data_dir, connection, repository) is None:
        raise UserError(f"there is no branch {connection.branch}", hint="set branch")
