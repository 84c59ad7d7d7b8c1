"""Where things stand on their forges."""

from __future__ import annotations

from generator.forge.port import ForgeKind
from service.web.context import context

_PULLS = {ForgeKind.GITHUB: "pull", ForgeKind.GITLAB: "-/merge_requests", ForgeKind.GITEA: "pulls"}


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
