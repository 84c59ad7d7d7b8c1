"""A repository of our own for one proposal: made beside the mirror, gone at the end."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generator.core.process import CommandError
from generator.forge.errors import Unavailable
from generator.git.errors import Fault, RemoteError
from generator.git.mirror import Mirror
from generator.git.worktree import Store
from generator.promotion.base_branch import BaseBranch, at_commit
from service.check.regenerate import Identity, outward
from service.follow_up.branch import branch
from service.follow_up.task import Task

_REMOTE = "origin"


@contextlib.contextmanager
def workspace(task: Task, identity: Identity | None = None) -> Iterator[BaseBranch]:
    """The newest commit of the default branch, and a remote to push proposals to.

    What a proposal writes (objects, branches) goes into a folder that is gone at the end; what is
    there already is read from the mirror. Raises Unavailable where trying again may help.
    """
    who = identity or Identity()
    with branch(task) as here, tempfile.TemporaryDirectory(prefix="gen-env-") as folder:
        own = Mirror.open(Path(folder) / "proposal.git")
        alternates = own.gitdir / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{(here.mirror.gitdir / 'objects').absolute()}\n", "utf-8")
        remote = {f"remote.{_REMOTE}.url": task.connection.git_url(task.context.repository)}
        git = outward(own, task.context, remote)
        tree = Store(own.gitdir, git.with_environment(who.variables))
        with _retryable():
            yield at_commit(own.gitdir, tree, "", task.connection.branch, here.head, _REMOTE)


@contextlib.contextmanager
def _retryable() -> Iterator[None]:
    try:
        yield
    except RemoteError as error:
        if error.fault is not Fault.PASSING:
            raise
        message = error.message
    except CommandError as error:
        if not error.timed_out:
            raise
        message = error.message
    else:
        return
    raise Unavailable(message, hint="gen-env tries again", written=True)
