"""A commit made among git's objects alone: work tree, index and HEAD stay what they are."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.core.errors import UserError
from generator.git.command import Git, words_of

_NEW_FILE, _EXECUTABLE = "100644", "100755"


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be: its one parent, content by path (None removes), and its message."""

    parent: str
    changes: Mapping[str, bytes | None]
    message: str


def write_tree(git: Git, draft: Draft) -> str:
    """The tree of the draft; the index that makes it lives in a temporary folder."""
    modes = _modes(git, draft)
    records = []
    for path, content in sorted(draft.changes.items()):
        if content is None:
            records.append(f"0 {'0' * len(draft.parent)}\t{path}\0")
            continue
        # Without filters: the bytes are those of the object, not of a work tree.
        oid = (
            git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
            .stdout.decode()
            .strip()
        )
        records.append(f"{modes.get(path, _NEW_FILE)} {oid}\t{path}\0")
    with tempfile.TemporaryDirectory(prefix="gen-env-") as folder:
        own = git.with_environment({"GIT_INDEX_FILE": str(Path(folder) / "index")})
        own.run("read-tree", draft.parent)
        own.run("update-index", "-z", "--index-info", stdin="".join(records).encode())
        return own.line("write-tree")


def commit_tree(git: Git, draft: Draft, tree: str) -> str:
    """The commit of a tree; author, committer and signature are those of the user's git config.

    No branch names it yet. Hooks of commits do not run: nothing is checked out that they could
    look at. Raises UserError when git knows no identity or cannot sign.
    """
    # commit-tree leaves commit.gpgSign to its caller.
    sign = git.line_or_none("config", "--type=bool", "--get", "commit.gpgSign") == "true"
    options = ["-S"] if sign else []
    done = git.run(
        "commit-tree", *options, "-p", draft.parent, "-F", "-", tree,
        stdin=draft.message.encode(), check=False,
    )  # fmt: skip
    if done.status != 0:
        words = words_of(done)
        if "tell me who you are" in words or "empty ident" in words:
            raise UserError(
                "git does not know who you are",
                hint='git config --global user.name "Your Name"\n'
                'git config --global user.email "you@example.com"',
            )
        raise UserError(f"the commit could not be made:\n{words}", hint="nothing was changed")
    return done.stdout.decode().strip()


def point(git: Git, branch: str, commit: str, old: str | None) -> bool:
    """Let a local branch name the commit if it still names `old`; None: if it is not there yet.

    False when somebody else was faster. Raises UserError for a branch that is checked out: its
    work tree would look as if everything had been undone.
    """
    where = checked_out(git, branch)
    if where is not None:
        raise UserError(
            f"the branch {branch} is checked out in {where}",
            hint="switch to another branch there, then run it again",
        )
    done = git.run(
        "update-ref", "-m", "gen-env", "--create-reflog", f"refs/heads/{branch}", commit, old or "",
        check=False,
    )  # fmt: skip
    return done.status == 0


def checked_out(git: Git, branch: str) -> str | None:
    """The name of the work tree that has this branch checked out, if one has."""
    place = ""
    output = git.run("worktree", "list", "--porcelain").stdout.decode("utf-8", "replace")
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            place = Path(rest).name
        elif word == "branch" and rest == f"refs/heads/{branch}":
            return place
    return None


def _modes(git: Git, draft: Draft) -> dict[str, str]:
    """Modes of the executable files that are there: they stay so, and links become plain files."""
    paths = sorted(draft.changes)
    if not paths:
        return {}
    output = git.run("ls-tree", "-z", "--full-tree", draft.parent, "--", *paths).stdout
    modes = {}
    for record in output.decode("utf-8", "replace").split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        if facts.startswith(_EXECUTABLE):
            modes[path] = _EXECUTABLE
    return modes
