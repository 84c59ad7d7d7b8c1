"""`gen-env-service token`: API tokens by name."""

from __future__ import annotations

import datetime
import re
import time

import click

from generator.core.errors import UserError
from service.settings.resolve import Settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?")
_DAY = 86_400


def create(settings: Settings, name: str, days: int, role: str) -> int:
    """Print a new token on standard output, and what it is beside it."""
    from service.store import tables, tokens

    if not _NAME.fullmatch(name):
        raise UserError(
            f"invalid name '{name[:60]}'", hint="up to 40 lower-case letters, digits, '-' and '.'"
        )
    now = time.time()
    until = now + days * _DAY
    engine = tables.engine(settings.database_url.text())
    with engine.begin() as connection:
        text = tokens.create(connection, name, tokens.Role(role), now, until)
    engine.dispose()
    click.echo(text)
    click.echo(
        f"token '{name}', {role}, until {_moment(until)}; it cannot be shown again", err=True
    )
    return 0


def revoke(settings: Settings, name: str) -> int:
    """Refuse a token from now on, in every process."""
    from service.store import tables, tokens

    engine = tables.engine(settings.database_url.text())
    with engine.begin() as connection:
        changed = tokens.revoke(connection, name, time.time())
    engine.dispose()
    click.echo(f"token '{name}' {'revoked' if changed else 'was revoked before'}")
    return 0


def show(settings: Settings) -> int:
    """Print every token that was ever made, without what it is made of."""
    from service.store import tables, tokens

    engine = tables.engine(settings.database_url.text())
    with engine.connect() as connection:
        found = tokens.listed(connection)
    engine.dispose()
    now = time.time()
    for row in found:
        state = tokens.refusal(row, now) or "valid"
        click.echo(f"{row.name:40} {row.role:8} {state:11} "
                   f"made {_moment(row.made)}, until {_moment(row.until)}")  # fmt: skip
    if settings.api_token is not None:
        click.echo(f"{'apiToken (settings)':40} operator valid       until it is changed")
    return 0


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
