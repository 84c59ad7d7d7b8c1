"""Where somebody is who types `gen-env` alone, and the next sensible step; nothing is rendered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import WorkTree
from generator.definition.definition import FILE_NAME, ROOT
from generator.git.worktree import Worktree
from generator.tree import catalogue

_LOOKED_AT = 20
"""Environments whose secrets are looked at: the answer comes at once, however many there are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Overview:
    """What is here, and what to type next with the reason."""

    place: str
    next: tuple[tuple[str, str], ...]


def outside(folder: Path) -> Overview:
    """The overview for a folder without gen-env.yaml."""
    return Overview(
        f"{folder} is not in a repository of gen-env",
        (
            ("gen-env init PATH", "make one, or set up the git repository that PATH is in"),
            ("gen-env check values.yaml", "look at values of the Airflow chart that exist"),
            ("gen-env adopt", "take over a release that runs"),
        ),
    )


def inside(root: Path) -> Overview:
    """In a repository: environments, branch, and what the first of these steps is."""
    names = sorted(_names(root))
    branch = _branch(root)
    place = f"{root}: {counted(len(names), 'environment')}" + (f" on {branch}" if branch else "")
    return Overview(place, tuple(_next(root, names)))


def _names(root: Path) -> Iterator[str]:
    for depth in ("*", "*/*"):
        for path in (root / ROOT).glob(f"{depth}/{FILE_NAME}"):
            yield path.parent.relative_to(root / ROOT).as_posix()


def _branch(root: Path) -> str:
    try:
        return Worktree.find(root).branch() or ""
    except UserError:
        return ""


def _next(root: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    if not names:
        yield "gen-env new dev", "the first environment"
        return
    for name in names:
        if not (root / ROOT / name / "generated").is_dir():
            yield f"gen-env generate {name}", "its tree is not generated yet"
            return
    files = WorkTree(root)
    for name in names[:_LOOKED_AT]:
        item = catalogue.one(files, name)
        if item is None:
            yield f"gen-env validate {name}", "its definition cannot be read"
            return
        if any(not secret.complete for secret in catalogue.secret_files(files, item).sealed):
            yield f"gen-env secrets {name}", "some of its secrets are not sealed"
            break
    if _is_changed(root):
        yield "gen-env validate", "there are changes that are not committed"
        yield "gen-env diff", "what they will do to the cluster"
    else:
        yield "gen-env status", "how the environments stand"


def _is_changed(root: Path) -> bool:
    try:
        git = Worktree.find(root).git
        return bool(git.run("status", "--porcelain", "--", str(root)).stdout.strip())
    except UserError:
        return False
