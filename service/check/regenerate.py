"""The regenerated tree as one commit on the head, of git objects alone, and its push."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from generator.core.errors import UserError
from generator.core.process import CommandError
from generator.forge.errors import Unavailable
from generator.git import diff, plumbing
from generator.git.command import Git, words_of
from generator.git.mirror import Mirror
from generator.git.plumbing import Draft
from generator.git.url import display_url
from generator.pipeline.regeneration import Plan
from service.check.mirror import Pinned
from service.check.reporter import Context
from service.settings.forges import git_token

TRAILER = "Gen-Env-Generated: true"
"""In the message of our own commits: such a head is checked, and never pushed to again."""


_ROLES = ("AUTHOR", "COMMITTER")
IDENTITY = {f"GIT_{role}_NAME": "gen-env" for role in _ROLES} | {
    f"GIT_{role}_EMAIL": "gen-env@users.noreply.invalid" for role in _ROLES
}
"""Who the service's commits are by, as git takes it from its environment."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that brings the tree up to date, and the same as a patch to the head."""

    sha: str
    patch: str


def is_ours(mirror: Mirror, commit: str) -> bool:
    """Whether a commit says that this service made it."""
    message = mirror.git.run("cat-file", "commit", commit).stdout.partition(b"\n\n")[2]
    return TRAILER.encode() in message.splitlines()


def propose(pinned: Pinned, plan: Plan, names: Sequence[str]) -> Proposal | None:
    """The plan as a commit on the head.

    None where it would not give the same after the merge: the branch has to take in its base
    first. The same head and plan give the same commit, so that making it again changes nothing.
    """
    assert pinned.merged is not None
    git = pinned.mirror.git
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    message = f"Regenerate {shown or 'the tree'}\n\n{TRAILER}\n"
    changes: dict[str, bytes | None] = dict.fromkeys(plan.removals)
    changes |= {path: text.encode() for path, text in plan.writes.items()}
    draft = Draft(pinned.head, changes, message)
    try:
        made = plumbing.write_tree(git, draft)
        goal = plumbing.write_tree(git, dataclasses.replace(draft, parent=pinned.merged))
    except CommandError as error:  # something is in the way
        if error.timed_out:
            raise
        return None
    # The parent's own date: our commit is no later than what it follows from, and reproducible.
    when = git.line("show", "--no-patch", "--format=%cd", "--date=raw", pinned.head)
    dates = {f"GIT_{role}_DATE": when for role in _ROLES}
    signed = git.with_environment(IDENTITY | dates)
    commit = plumbing.commit_tree(signed, draft, made)
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
    return Proposal(commit, patch)


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
