"""Both sides of a pull request, fetched into a bare mirror and pinned by commit ids."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import Problem, Severity
from generator.forge.errors import Unavailable
from generator.forge.port import ForgeKind
from generator.git import diff
from generator.git.errors import Fault, RemoteError
from generator.git.mirror import Mirror
from generator.pipeline import repository, toolchain
from generator.pipeline.repository import PARTS, ROOT, SETTINGS, UNREADABLE
from service.check.reporter import Context, Superseded
from service.settings import forges
from service.settings.schema import Connection
from service.store import folder_locks

MAX_BYTES = 2 << 30
_BRANCH = "refs/w/branch"
"""Where the poll keeps what it saw of the default branch."""
_SLUG = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Pinned:
    """Base and head by commit id; `merged` is the tree (or commit) that merging them gives.

    It is None where they conflict, and `conflicts` then names the files.
    """

    mirror: Mirror
    base: str
    head: str
    merged: str | None
    conflicts: tuple[str, ...] = ()


@contextlib.contextmanager
def pinned(
    context: Context, number: int, head: str, *, base_ref: str = "", base_sha: str = ""
) -> Iterator[Pinned]:
    """Fetch both sides; their refs in the mirror are dropped at the end.

    `head` is the commit to check, `base_ref` the branch it is to be merged into. A merge group has
    a `base_sha` instead: its head is the merge already. Raises Superseded where the forge no longer
    has that head, Unavailable where trying again may help, UserError where it does not.
    """
    mirror, space = open_mirror(context), space_of(context.run_id)
    refs = (f"{space}/base", f"{space}/head")
    try:
        if base_ref:
            yield _pull_request(mirror, context, number, head, base_ref, refs)
        else:
            yield _merge_group(mirror, context, base_sha, head, refs)
    finally:
        mirror.drop(refs)


def _pull_request(
    mirror: Mirror, context: Context, number: int, head: str, base_ref: str, refs: tuple[str, str]
) -> Pinned:
    gitlab = context.forge.kind is ForgeKind.GITLAB
    proposed = f"refs/{'merge-requests' if gitlab else 'pull'}/{number}/head"
    fetch(mirror, context, [f"+refs/heads/{base_ref}:{refs[0]}", f"+{proposed}:{refs[1]}"])
    if mirror.resolve(refs[1]) != head:
        # The ref may lag behind the forge's own word; the commit itself decides.
        fetch(mirror, context, [f"+{head}:{refs[1]}"])
    base, fetched = mirror.resolve(refs[0]), mirror.resolve(refs[1])
    if base is None or fetched != head:
        raise Superseded("the pull request has a newer head")
    result = diff.merge_tree(mirror.git, base, head)
    return Pinned(mirror, base, head, result.tree, result.conflicts)


def _merge_group(
    mirror: Mirror, context: Context, base: str, head: str, refs: tuple[str, str]
) -> Pinned:
    fetch(mirror, context, [f"+{base}:{refs[0]}", f"+{head}:{refs[1]}"])
    if [mirror.resolve(ref) for ref in refs] != [base, head]:
        raise Superseded("the merge group no longer exists")
    return Pinned(mirror, base, head, head)


def read(mirror: Mirror, revision: str, more: Iterable[str] = ()) -> Snapshot:
    """What gen-env reads of a revision: its own folders, and the paths `more`.

    Nothing is checked out and no link is followed. Raises UserError beyond the limits of
    `generator.git.revision`.
    """
    contents, unread = mirror.at(revision).read_tree(*sorted({*PARTS, *more}))
    links = tuple(entry.path for entry in unread if entry.mode == "120000")
    faults = {entry.path: entry.fault for entry in unread}
    return Snapshot(contents, links, faults)


def files_of(mirror: Mirror, commit: str) -> Snapshot:
    """What gen-env reads of a commit, the chart that it may carry included.

    Broken settings are no error here: whoever loads the files reports them, with the line.
    """
    text = mirror.at(commit).read_file(SETTINGS)
    settings = toolchain.settings(Snapshot({SETTINGS: text})) if text is not None else None
    return read(mirror, commit, repository.more_paths(settings))


def unread_problems(files: Snapshot, changed: Iterable[str]) -> Iterator[Problem]:
    """What could not be read, as errors where the change brought it and warnings elsewhere."""
    ours = set(changed)
    for path, fault in files.unread.items():
        if path in files.symlinks and path.startswith(f"{ROOT}/"):
            continue  # the catalogue of definitions tells these
        yield UNREADABLE.problem(
            f"gen-env does not read this file: {fault}",
            path=path,
            hint="below these folders only plain files of ordinary size and name are read",
            severity=Severity.ERROR if path in ours else Severity.WARNING,
        )


def fetch(mirror: Mirror, context: Context, refspecs: list[str]) -> None:
    """Fetch from the configured address.

    Raises Superseded where a ref or commit is gone from the forge, Unavailable where trying again
    may help, UserError where it does not.
    """
    try:
        forges.fetch(mirror, context.connection, context.repository, refspecs, max_bytes=MAX_BYTES)
    except RemoteError as error:
        if error.fault is Fault.GONE:
            raise Superseded(
                "branch, pull request or commit no longer exists on the forge"
            ) from None
        if error.fault is Fault.LASTING:
            raise
        raise Unavailable(error.message, hint="gen-env tries again") from None


@contextlib.contextmanager
def _of_branch(data_dir: Path, connection: Connection, repository: str) -> Iterator[Mirror]:
    gitdir = place(data_dir, connection.name, repository)
    with folder_locks.in_use(gitdir):
        yield Mirror.open(gitdir)


def branch_head(data_dir: Path, connection: Connection, repository: str) -> str | None:
    """The commit of the connection's branch, fetched now; None where there is no such branch.

    Raises UserError where the server refuses or cannot be reached.
    """
    with _of_branch(data_dir, connection, repository) as mirror:
        refspecs = [f"+refs/heads/{connection.branch}:{_BRANCH}"]
        try:
            forges.fetch(mirror, connection, repository, refspecs, max_bytes=MAX_BYTES)
        except RemoteError as error:
            if error.fault is not Fault.GONE:
                raise
            mirror.drop([_BRANCH])
        return mirror.resolve(_BRANCH)


def branch_files(data_dir: Path, connection: Connection, repository: str) -> Snapshot:
    """gen-env's files of the branch, as `branch_head` has fetched it last.

    Raises UserError where there is none, or where it is beyond the limits of reading.
    """
    with _of_branch(data_dir, connection, repository) as mirror:
        if sha := mirror.resolve(_BRANCH):
            return files_of(mirror, sha)
    raise UserError(f"branch '{connection.branch}' not found", hint="set branch")


def open_mirror(context: Context) -> Mirror:
    """The mirror of the run's repository."""
    return Mirror.open(place(context.data_dir, context.connection.name, context.repository))


def place(data_dir: Path, connection: str, repository: str) -> Path:
    """Where the mirror of a repository is."""
    digest = hashlib.sha256(f"{connection}\n{repository}".encode()).hexdigest()[:16]
    slug = _SLUG.sub("-", repository).strip(".-")[-60:]
    return data_dir / "mirrors" / f"{slug}-{digest}.git"


def space_of(run_id: str) -> str:
    """Below which name in the mirror a run keeps its refs, for as long as it needs them."""
    return f"refs/w/{hashlib.sha256(run_id.encode()).hexdigest()[:24]}"
