"""What writers allowed in comments, for one commit each; kept as the record of who did."""

from __future__ import annotations

import sqlalchemy as sa

from service.model.check import Grants, Override
from service.store.tables import grant, upsert
from service.webhook.command import Command, Verb


def record(
    connection: sa.Connection, key: str, sha: str, command: Command, author: str, at: float
) -> None:
    """Keep a writer's word; the first one who gave it stays on record."""
    row = {
        "key": key,
        "sha": sha,
        "verb": command.verb.value,
        "rule": command.rule,
        "author": author,
        "reason": command.reason,
        "given": at,
    }
    connection.execute(upsert(connection, grant).values(row).on_conflict_do_nothing())


def read(connection: sa.Connection, key: str, sha: str) -> Grants:
    """Everything that was allowed for this very commit of the pull request."""
    query = sa.select(grant).where(grant.c.key == key, grant.c.sha == sha).order_by(grant.c.given)
    accepted: dict[str, str] = {}
    override: Override | None = None
    trusted_by = ""
    for row in connection.execute(query):
        match Verb(row.verb):
            case Verb.ACCEPT:
                accepted[row.rule] = row.author
            case Verb.OVERRIDE:
                override = Override(row.author, row.reason)
            case Verb.OK_TO_TEST:
                trusted_by = row.author
            case Verb.CHECK:
                pass  # asks for nothing that lasts
    return Grants(accepted, override, trusted_by)
