"""Asking a repository's git server one question, without keeping anything."""

from __future__ import annotations

from pathlib import Path

from service import use, watch
from service.runner import git_token
from service.settings import Connection


def branch_head(data_dir: Path, connection: Connection, repository: str) -> str | None:
    """The commit of the connection's branch, None when there is no such branch.

    Fetches into the repository's poll mirror: the one hardened way to git's transport that there
    is. Raises UserError when the server refuses or cannot be reached.
    """
    from generator.gitmirror import Mirror

    name = repository.replace("/", "--").lower()
    gitdir = data_dir / "poll" / f"{connection.name}--{name}.git"
    with use.in_use(gitdir):
        mirror = Mirror.open(gitdir)
        ref = f"refs/w/{connection.branch}"
        with watch.of_fetch():
            mirror.fetch(
                f"{connection.web_url}/{repository}.git",
                [f"+refs/heads/{connection.branch}:{ref}"],
                git_token(connection, repository),
                username=connection.username,
                allow_http=connection.allow_http,
            )
        return mirror.resolve(ref)
