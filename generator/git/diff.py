"""What lies between two revisions: the paths that differ, and what merging them would give."""

from __future__ import annotations

import dataclasses

from generator.core.errors import UserError
from generator.git import names
from generator.git.command import Git, refuse_option, words_of


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class ChangedPath:
    """One path that differs; `old_path` is its former name when it was renamed.

    Modes are git's octal words (`000000` where there is no file), the ids those of the blobs.
    """

    path: str
    status: str
    old_path: str
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str


@dataclasses.dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge gives: a tree to read as a `Revision`, or the paths that conflict."""

    tree: str | None
    conflicts: tuple[str, ...] = ()


def changed_paths(git: Git, base: str, head: str) -> list[ChangedPath]:
    """Every path that differs between two commits or trees: added, modified, deleted, renamed."""
    for revision in (base, head):
        refuse_option(revision, "revision")
    done = git.run("diff-tree", "-r", "-z", "--raw", "-M", "--no-abbrev", base, head, check=False)
    if done.status != 0:
        raise UserError(f"git cannot compare {base} with {head}: {words_of(done, 1)}")
    fields = iter(done.stdout.split(b"\0")[:-1])
    changes = []
    for facts in fields:
        old_mode, new_mode, old_oid, new_oid, status = facts.decode().removeprefix(":").split(" ")
        first, _ = names.shown(next(fields))
        renamed = status[0] in "RC"
        path = names.shown(next(fields))[0] if renamed else first
        changes.append(
            ChangedPath(
                path=path,
                status=status[0],
                old_path=first if renamed else "",
                old_mode=old_mode,
                new_mode=new_mode,
                old_oid=old_oid,
                new_oid=new_oid,
            )
        )
    return sorted(changes)


def merge_tree(git: Git, base: str, head: str) -> MergeResult:
    """Merge `head` into `base` among git's objects alone; no file and no branch changes.

    Raises UserError when the two share no history or git is older than 2.38.
    """
    for revision in (base, head):
        refuse_option(revision, "revision")
    done = git.run(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head, check=False
    )
    if done.status not in (0, 1):
        raise _unmergeable(words_of(done), base, head)
    tree, *conflicts = [field for field in done.stdout.split(b"\0") if field]
    if done.status == 0:
        return MergeResult(tree.decode())
    return MergeResult(None, tuple(sorted({names.shown(path)[0] for path in conflicts})))


def _unmergeable(words: str, base: str, head: str) -> UserError:
    if "usage:" in words:
        return UserError("this git is too old to merge without a checkout", hint="use git 2.38 on")
    hint = "fetch the whole history of both" if "unrelated histories" in words else ""
    return UserError(f"git cannot merge {head} into {base}: {words}", hint=hint)
