"""What writers allowed in comments, for one commit each; kept as the record of who did."""

from __future__ import annotations

import sqlalchemy as sa

from service.model.job import Grants, Override, same_person
from service.store.tables import grant, upsert
from service.webhook.command import Command, Verb


def record(
    connection: sa.Connection,
    key: str,
    sha: str,
    command: Command,
    author: str,
    at: float,
    proposer: str = "",
) -> None:
    """Keep a writer's word; the first one who gave it stays on record.

    The word of the pull request's author (`proposer`) gives way to that of anybody else: a policy
    may ask for another person.
    """
    word = {"verb": command.verb.value, "rule": command.rule, "reason": command.reason}
    row = {"key": key, "sha": sha, **word, "author": author, "given": at}
    statement = upsert(connection, grant).values(row)
    if same_person(author, proposer):
        connection.execute(statement.on_conflict_do_nothing())
        return
    changed = {name: row[name] for name in ("author", "reason", "given")}
    own = sa.func.lower(grant.c.author) == proposer.lower()
    columns = list(grant.primary_key.columns)
    connection.execute(statement.on_conflict_do_update(columns, set_=changed, where=own))


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
