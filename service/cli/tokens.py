"""`gen-env-service token`: API tokens by name."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.core.errors import UserError
from service.settings import resolve

if TYPE_CHECKING:
    import sqlalchemy as sa

    from service.settings.schema import Settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?")
_DAY = 86_400
CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=resolve.CONFIG,
    help="Settings file (YAML).",
)


@click.group()
def token() -> None:
    """Name API tokens, for programs and people; each has a role and an end."""


@token.command()
@click.argument("name")
@CONFIG
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
@click.option(
    "--role", type=click.Choice(["viewer", "operator"]), default="viewer", show_default=True
)
def create(config: Path | None, name: str, days: int, role: str) -> None:
    """Make a token and print it, once."""
    from service.store import tokens

    if not _NAME.fullmatch(name):
        hint = "up to 40 lower-case letters, digits, '-' and '.'"
        raise UserError(f"invalid name '{name[:60]}'", hint=hint)
    now = time.time()
    until = now + days * _DAY
    with _database(resolve.load(config, os.environ)) as connection:
        text = tokens.create(connection, name, tokens.Role(role), now, until)
    click.echo(text)
    said = f"token '{name}', {role}, until {_moment(until)}"
    click.echo(f"{said}; it cannot be shown again", err=True)


@token.command()
@click.argument("name")
@CONFIG
def revoke(config: Path | None, name: str) -> None:
    """Refuse a token from now on."""
    from service.store import tokens

    with _database(resolve.load(config, os.environ)) as connection:
        changed = tokens.revoke(connection, name, time.time())
    click.echo(f"token '{name}' {'revoked' if changed else 'was revoked before'}")


@token.command("list")
@CONFIG
def show(config: Path | None) -> None:
    """Show which tokens there are; none is printed."""
    from service.store import tokens

    settings = resolve.load(config, os.environ)
    with _database(settings) as connection:
        found = tokens.listed(connection)
    now = time.time()
    for row in found:
        state = tokens.refusal(row, now) or "valid"
        click.echo(f"{row.name:40} {row.role:8} {state:11} "
                   f"made {_moment(row.made)}, until {_moment(row.until)}")  # fmt: skip
    if settings.api_token is not None:
        click.echo(f"{'apiToken (settings)':40} operator valid       until it is changed")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[sa.Connection]:
    """A transaction in the database, which is brought up to date before."""
    from service.cli.migrate import prepare
    from service.store import tables

    prepare(settings)
    with tables.opened(settings.database_url.text()) as engine, engine.begin() as connection:
        yield connection


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
