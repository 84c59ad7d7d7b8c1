"""The regenerated tree as one commit on the head, of git objects alone, and its push."""

from __future__ import annotations

import dataclasses
import enum
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from generator.core.errors import UserError
from generator.forge.errors import Unavailable
from generator.git import diff
from generator.git.command import Git, one_line, words_of
from generator.git.mirror import Mirror
from generator.git.url import display_url
from generator.pipeline.regeneration import Plan
from service.check.mirror import Pinned
from service.check.request import Context
from service.settings.forges import git_token

TRAILER = "Gen-Env-Generated: true"
"""In the message of our own commits: such a head is checked, and never pushed to again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Who the service's commits are by."""

    name: str = "gen-env"
    email: str = "gen-env@users.noreply.invalid"


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that brings the tree up to date, and the same as a patch to the head."""

    sha: str
    patch: str
    paths: tuple[str, ...]


def is_ours(mirror: Mirror, commit: str) -> bool:
    """Whether a commit says that this service made it."""
    message = mirror.git.run("cat-file", "commit", commit).stdout.partition(b"\n\n")[2]
    return TRAILER.encode() in message.splitlines()


def propose(pinned: Pinned, plan: Plan, names: Sequence[str], author: Identity) -> Proposal | None:
    """The plan as a commit on the head.

    None where it would not give the same after the merge: the branch has to take in its base
    first. The same head and plan give the same commit, so that making it again changes nothing.
    """
    assert pinned.merged is not None
    git = pinned.mirror.git
    blobs = _write_blobs(git, plan)
    with tempfile.TemporaryDirectory(prefix="gen-env-index-") as folder:
        goal = _tree(git, Path(folder) / "goal", pinned.merged, plan, blobs)
        made = _tree(git, Path(folder) / "made", pinned.head, plan, blobs)
    if goal is None or made is None:
        return None
    commit = _commit(git, made, pinned.head, _message(names), author)
    if diff.merge_tree(git, pinned.base, commit).tree != goal:
        return None
    # A file where the plan needs a folder, or a folder where it needs a file, would have gone.
    for change in diff.changed_paths(git, pinned.head, commit):
        if not {change.path, change.old_path or change.path} <= set(plan.paths):
            return None
    patch = git.run(
        "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--text",
        "--full-index", pinned.head, commit, "--",
    ).stdout.decode("utf-8", "replace")  # fmt: skip
    return Proposal(commit, patch, plan.paths)


def _write_blobs(git: Git, plan: Plan) -> Mapping[str, str]:
    return {
        path: one_line(git.run("hash-object", "-w", "-t", "blob", "--stdin", stdin=text.encode()))
        for path, text in plan.writes.items()
    }


def _tree(git: Git, index: Path, revision: str, plan: Plan, blobs: Mapping[str, str]) -> str | None:
    """The revision's tree with the plan carried out; None where something is in the way."""
    own = dataclasses.replace(
        git, environment={**git.environment, "GIT_INDEX_FILE": os.fspath(index)}
    )
    entries = [f"0 {'0' * 40}\t{path}" for path in plan.removals]
    entries += [f"100644 {oid}\t{path}" for path, oid in blobs.items()]
    request = "".join(f"{entry}\0" for entry in entries).encode()
    own.run("read-tree", revision)
    if own.run("update-index", "-z", "--index-info", stdin=request, check=False).status != 0:
        return None
    done = own.run("write-tree", check=False)
    return one_line(done) if done.status == 0 else None


def _commit(git: Git, tree: str, parent: str, message: str, author: Identity) -> str:
    # The parent's own date: our commit is no later than what it follows from, and reproducible.
    when = git.line("show", "--no-patch", "--format=%cd", "--date=raw", parent)
    identity: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {
            f"GIT_{role}_NAME": author.name,
            f"GIT_{role}_EMAIL": author.email,
            f"GIT_{role}_DATE": when,
        }
    signed = dataclasses.replace(git, environment={**git.environment, **identity})
    done = signed.run("commit-tree", tree, "-p", parent, "-F", "-", stdin=message.encode())
    return one_line(done)


def _message(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"Regenerate {shown or 'the tree'}\n\n{TRAILER}\n"


def require_name(ref: str) -> str:
    """The full name of a branch; raises UserError where git would not take it for one."""
    if not ref or ref.startswith(("-", "refs/")) or any(mark in ref for mark in ":\0\n *?[\\^~"):
        raise UserError(f"{ref!r} is not a branch to push to")
    return f"refs/heads/{ref}"


class Pushed(enum.Enum):
    """What became of it."""

    DONE = "done"
    MOVED = "the branch has moved on"
    REFUSED = "the forge rejects pushes to this branch"


_MOVED = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref")
_REFUSED = (
    "protected", "pre-receive hook declined", "hook declined", "error: 403", "error: 401",
    "Authentication failed", "could not read Username", "denied", "not allowed",
    "[remote rejected]", "not permitted", "error: 404", "not found",
)  # fmt: skip


def push(mirror: Mirror, context: Context, *, commit: str, branch: str, seen: str) -> Pushed:
    """Move `branch` from the commit `seen` to `commit`, if it is still there.

    The address is the configured one that was fetched from; the token travels in the environment.
    Raises Unavailable where trying again may help.
    """
    target = require_name(branch)
    git, url = outward(mirror, context), context.connection.git_url(context.repository)
    try:
        done = git.run(
            "push", "--quiet", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
            f"--force-with-lease={target}:{seen}", "--", url, f"{commit}:{target}",
            check=False, timeout=120,
        )  # fmt: skip
    except UserError as error:
        raise Unavailable(error.message, hint="gen-env tries again", written=True) from None
    if done.status == 0:
        return Pushed.DONE
    words = words_of(done)
    if any(sign in words for sign in _MOVED):
        return Pushed.MOVED
    if any(sign in words for sign in _REFUSED):
        return Pushed.REFUSED
    # git's own words can hold anything that the other side sent: they are not passed on.
    raise Unavailable(
        f"cannot push to {display_url(url)}", hint="gen-env tries again", written=True
    )


def outward(mirror: Mirror, context: Context, more: Mapping[str, str] | None = None) -> Git:
    """git with the one protocol of the forge and our credentials; `more` are settings of git's."""
    connection, repository = context.connection, context.repository
    return mirror.outward(
        connection.git_url(repository), git_token(connection, repository),
        username=connection.git_username, allow_http=connection.allow_http, more=more,
    )  # fmt: skip
