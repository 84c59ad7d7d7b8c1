"""One commit that holds our paths and nothing else of what the user has at hand."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from generator.core.process import Completed
from generator.git.command import words_of
from generator.git.repository import line_or_none, run

if TYPE_CHECKING:
    from git import Repo

_HOOK_PATIENCE = 900.0  # a first run of pre-commit builds its environments


def changed(repo: Repo, paths: Iterable[str]) -> list[str]:
    """Those files among `paths` (files or folders) that differ from HEAD or are untracked."""
    return sorted(path for path, _ in _status(repo, sorted(set(paths))))


def commit_only(repo: Repo, paths: Iterable[str], message: str) -> str:
    """Commit what `paths` hold in the work tree, deletions too, and return the new commit.

    Whatever else is staged stays staged and uncommitted. Without a change the present HEAD is
    returned. Hooks, signing and filters of the user apply. Raises UserError when there is no
    identity, when git ignores a path, or when a hook refuses; files and index are then as before.
    """
    wanted = sorted(set(paths))
    _refuse_ignored(repo, wanted)
    entries = _status(repo, wanted)
    if not entries:
        return _present_head(repo)
    _require_identity(repo)
    new = [path for path, code in entries if code == "??"]
    with _intended(repo, new):
        # Literal path by path: as a setting it would reach the user's hooks and break their
        # patterns.
        done = run(repo,
            "--no-literal-pathspecs", "commit", "--quiet", "--file=-", "--only", "--",
            *[f":(literal){path}" for path, _ in entries],
            stdin=message.encode(), check=False, timeout=_HOOK_PATIENCE,
        )  # fmt: skip
        if done.status != 0:
            raise _refusal(done)
    return _present_head(repo)


@contextlib.contextmanager
def _intended(repo: Repo, new: Sequence[str]) -> Iterator[None]:
    """`commit --only` knows tracked files alone; the mere intent to add is easily taken back.

    It is taken back when the block fails, and when somebody interrupts it (a hook can take long).
    """
    try:
        if new:
            run(repo, "add", "--intent-to-add", "--", *new)
        yield
    except BaseException:
        if new:
            run(repo, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", *new)
        raise


def _status(repo: Repo, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Path and two-letter code, as `git status --porcelain` has them."""
    if not paths:
        return []
    output = run(repo,
        "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignored=no",
        "--", *paths,
    ).stdout  # fmt: skip
    return [(os.fsdecode(item[3:]), item[:2].decode()) for item in output.split(b"\0") if item]


def _refuse_ignored(repo: Repo, paths: Sequence[str]) -> None:
    # check-ignore knows no literal mode; with `./` before it no name is taken for a pattern.
    request = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    done = run(repo,
        "--no-literal-pathspecs", "check-ignore", "-z", "--verbose", "--stdin",
        stdin=request, check=False,
    )  # fmt: skip
    if done.status not in (0, 1):
        raise UserError(f"git cannot tell what is ignored: {words_of(done)}")
    fields = iter(os.fsdecode(field) for field in done.stdout.split(b"\0")[:-1])
    for source, line, pattern, path in zip(fields, fields, fields, fields, strict=True):
        if not pattern.startswith("!"):
            raise UserError(
                f"git ignores {path.removeprefix('./')} (pattern {pattern})",
                path=source,
                line=int(line) if line.isdigit() else None,
                hint="ignored files never reach the cluster: change or narrow the pattern",
            )


def _present_head(repo: Repo) -> str:
    head = line_or_none(repo, "rev-parse", "--quiet", "--verify", "HEAD")
    if head is None:
        raise UserError("nothing to commit, and the branch has no commits yet")
    return head


def _require_identity(repo: Repo) -> None:
    for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if run(repo, "var", role, check=False).status != 0:
            raise UserError(
                "git does not know who you are",
                hint='git config --global user.name "Your Name"\n'
                'git config --global user.email "you@example.com"',
            )


def _refusal(done: Completed) -> UserError:
    words = words_of(done)
    if "partial commit during" in words:
        return UserError(
            "a merge, rebase or cherry-pick is under way", hint="finish or abort it, then try again"
        )
    return UserError(
        f"the commit was refused:\n{words}",
        hint="no files were changed; fix the errors above, then run the command again",
    )
