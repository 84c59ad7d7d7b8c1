"""API tokens by name; only their digests are kept, and a name is never given twice."""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets

import sqlalchemy as sa

from generator.core.errors import UserError
from service.store.tables import token, upsert

_PREFIX = "genenv_"


class Role(enum.StrEnum):
    """What a token is good for."""

    VIEWER = "viewer"
    OPERATOR = "operator"


def create(connection: sa.Connection, name: str, role: Role, made: float, until: float) -> str:
    """A new token, which nobody can read again; raises UserError where the name was given before.

    The name of a revoked token stays taken: the audit log tells people apart by it.
    """
    text = _PREFIX + secrets.token_urlsafe(32)
    row = {"name": name, "digest": _digest(text), "role": role.value, "made": made, "until": until}
    added = upsert(connection, token).values(row).on_conflict_do_nothing()
    if not connection.execute(added).rowcount:
        raise UserError(f"token '{name}' already exists", hint="choose another name")
    return text


def revoke(connection: sa.Connection, name: str, at: float) -> bool:
    """Refuse the token from now on; False where it was revoked before, UserError without one."""
    if connection.execute(sa.select(token.c.name).where(token.c.name == name)).first() is None:
        raise UserError(f"token '{name}' not found", hint="gen-env-service token list")
    open_one = token.update().where(token.c.name == name, token.c.revoked.is_(None))
    return bool(connection.execute(open_one.values(revoked=at)).rowcount)


def listed(connection: sa.Connection) -> list[sa.Row[tuple[object, ...]]]:
    """Every token that was ever made, by name."""
    return list(connection.execute(sa.select(token).order_by(token.c.name)))


def any_made(connection: sa.Connection) -> bool:
    """Whether there ever was one, usable or not."""
    return connection.execute(sa.select(token.c.name).limit(1)).first() is not None


def find(connection: sa.Connection, given: str) -> sa.Row[tuple[object, ...]] | None:
    """The token that this is, in whatever state; its digest is compared in constant time."""
    digest = _digest(given)
    row = connection.execute(sa.select(token).where(token.c.digest == digest)).first()
    return row if row is not None and hmac.compare_digest(row.digest, digest) else None


def refusal(row: sa.Row[tuple[object, ...]], now: float) -> str:
    """Why a token is not good any more; empty for one that is."""
    if row.revoked is not None:
        return "was revoked"
    return "has expired" if row.until <= now else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
