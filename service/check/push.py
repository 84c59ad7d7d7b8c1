"""One push of one commit to one branch, and only while the branch is where we saw it."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from generator.core.errors import UserError
from generator.forge.errors import Unavailable
from generator.git.command import Git, words_of
from generator.git.mirror import Mirror
from generator.git.url import display_url
from service.check.regenerate import require_name
from service.model.check import CheckContext


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


def push(mirror: Mirror, context: CheckContext, *, commit: str, branch: str, seen: str) -> Pushed:
    """Move `branch` from the commit `seen` to `commit`, if it is still there.

    The address is the configured one that was fetched from; the token travels in the environment.
    Raises Unavailable where trying again may help.
    """
    target = require_name(branch)
    git = outward(mirror, context)
    try:
        done = git.run(
            "push", "--quiet", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
            f"--force-with-lease={target}:{seen}", "--", context.git_url, f"{commit}:{target}",
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
    place = display_url(context.git_url)
    raise Unavailable(f"cannot push to {place}", hint="gen-env tries again", written=True)


def outward(mirror: Mirror, context: CheckContext, more: Mapping[str, str] | None = None) -> Git:
    """git with the one protocol of the forge and our credentials; `more` are settings of git's."""
    return mirror.outward(
        context.git_url, context.git_token(), username=context.git_username or "x-access-token",
        allow_http=context.allow_http, more=more,
    )  # fmt: skip
