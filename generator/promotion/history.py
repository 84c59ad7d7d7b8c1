"""What git tells of an environment: since when it is as it is, and by which commits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.definition.definition import ROOT
from generator.git.revision import Revision
from generator.promotion.base_branch import BaseBranch
from generator.promotion.fields import Move
from generator.tree import catalogue
from generator.yaml.edit import get

_CANDIDATES = 10
_LOOK_BACK = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """One commit, for people."""

    sha: str
    author: str
    subject: str


def same_state(base_branch: BaseBranch, name: str) -> tuple[str, ...]:
    """Commits of the default branch that hold the environment's present files, oldest first.

    The first is the one that brought them; of the later ones only the newest few.
    """
    folder = base_branch.inside(f"{ROOT}/{name}")
    git = base_branch.tree.git
    brought = git.line_or_none(
        "rev-list", "--first-parent", "--max-count=1", base_branch.base, "--", folder
    )
    if brought is None:
        return (base_branch.base,)
    later = git.run("rev-list", "--first-parent", f"{brought}..{base_branch.base}").stdout.decode()
    newest = later.split()[: _CANDIDATES - 1]
    return (brought, *reversed(newest))


def behind(base_branch: BaseBranch, name: str, moves: Sequence[Move]) -> tuple[Commit, ...]:
    """The commits of a definition since it last had what the target has now, newest first."""
    path = base_branch.inside(f"{ROOT}/{name}/environment.yaml")
    log = base_branch.tree.git.run(
        "log",
        f"--max-count={_LOOK_BACK}",
        "--format=%H%x00%an%x00%s%x00",
        base_branch.base,
        "--",
        path,
    ).stdout.decode("utf-8", "replace")
    fields = log.replace("\0\n", "\0").split("\0")[:-1]
    found = []
    for sha, author, subject in zip(*[iter(fields)] * 3, strict=True):
        if _has_old(base_branch, sha, path, name, moves):
            break
        found.append(Commit(sha, author, subject))
    return tuple(found)


def earlier(base_branch: BaseBranch, name: str) -> Iterator[str]:
    """Commits of the default branch at which the environment was in another state, newest first.

    Each is the first parent of one that touched it, so a merge counts as one step.
    """
    folder = base_branch.inside(f"{ROOT}/{name}")
    touched = base_branch.tree.git.run(
        "rev-list", "--first-parent", f"--max-count={_LOOK_BACK}", base_branch.base, "--", folder
    ).stdout.decode()
    for sha in touched.split():
        parent = base_branch.tree.git.line_or_none("rev-parse", "--quiet", "--verify", f"{sha}^1")
        if parent is not None:
            yield parent


def earlier_definitions(base_branch: BaseBranch, name: str) -> tuple[bytes, ...]:
    """The definition's texts at the commits that `earlier` gives: what goes back to one of these
    is a rollback.
    """
    path = base_branch.inside(f"{ROOT}/{name}/environment.yaml")
    texts = []
    for sha in earlier(base_branch, name):
        try:
            text = Revision(base_branch.tree.git, sha).read_file(path)
        except UserError:
            continue  # a link, or larger than any definition
        if text is not None:
            texts.append(text)
    return tuple(texts)


def _has_old(
    base_branch: BaseBranch, sha: str, path: str, name: str, moves: Sequence[Move]
) -> bool:
    text = Revision(base_branch.tree.git, sha).read_file(path)
    if text is None:
        return False
    item = catalogue.one(Snapshot({f"{ROOT}/{name}/environment.yaml": text}), name)
    if item is None:
        return False
    return all(_text(get(item.data, move.path)) == _text(move.old) for move in moves)


def _text(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else repr(value)
