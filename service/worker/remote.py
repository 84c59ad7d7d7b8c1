"""Asking a repository's git server one question, without keeping anything."""

from __future__ import annotations

from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Snapshot
from service.settings import forges
from service.settings.schema import Connection
from service.store import folder_locks


def branch_head(data_dir: Path, connection: Connection, repository: str) -> str | None:
    """The commit of the connection's branch, None when there is no such branch.

    Fetches into the repository's poll mirror: the one hardened way to git's transport that there
    is. Raises UserError when the server refuses or cannot be reached.
    """
    from generator.git.mirror import Mirror

    gitdir = _gitdir(data_dir, connection, repository)
    with folder_locks.in_use(gitdir):
        mirror = Mirror.open(gitdir)
        ref = f"refs/w/{connection.branch}"
        forges.fetch(mirror, connection, repository, [f"+refs/heads/{connection.branch}:{ref}"])
        return mirror.resolve(ref)


def branch_files(data_dir: Path, connection: Connection, repository: str) -> Snapshot:
    """gen-env's files of the branch, as `branch_head` has fetched it last.

    Raises UserError where there is none, or where it is beyond the limits of reading.
    """
    from generator.git.mirror import Mirror
    from service.check.mirror import files_of

    gitdir = _gitdir(data_dir, connection, repository)
    with folder_locks.in_use(gitdir):
        mirror = Mirror.open(gitdir)
        sha = mirror.resolve(f"refs/w/{connection.branch}")
        if sha is None:
            raise UserError(f"branch '{connection.branch}' not found", hint="set branch")
        return files_of(mirror, sha)


def _gitdir(data_dir: Path, connection: Connection, repository: str) -> Path:
    name = repository.replace("/", "--").lower()
    return data_dir / "poll" / f"{connection.name}--{name}.git"
