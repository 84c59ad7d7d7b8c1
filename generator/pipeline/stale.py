"""Whether a definition is newer than the tree that was generated from it, as git tells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from generator.core.errors import UserError
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS
from generator.git.worktree import Worktree


def is_stale(root: Path | None, environment: str, paths: Iterable[str]) -> bool:
    """Whether definition or settings were edited after `paths` were generated.

    `paths` are generated files that differ; one that was edited itself speaks against it. Without
    an environment every definition counts. Outside of git nothing is known: false.
    """
    definition = f"{ROOT}/{environment}/{FILE_NAME}" if environment else ROOT
    try:
        if root is None:
            return False
        tree = Worktree.find(root)
        prefix = root.resolve().relative_to(tree.root.resolve())
        sources = [(prefix / path).as_posix() for path in (SETTINGS, definition)]
        made = [(prefix / path).as_posix() for path in paths]
        if not made or tree.changed(made):
            return False
        return bool(tree.changed(sources)) or _is_newer(tree, sources, made)
    except UserError:
        return False


def _is_newer(tree: Worktree, sources: list[str], made: list[str]) -> bool:
    """Whether the last commit of the sources came after the last one of what was made of them."""
    words = ("rev-list", "--max-count=1", "HEAD", "--")
    source, product = (tree.git.line_or_none(*words, *paths) for paths in (sources, made))
    if not source or not product or source == product:
        return False
    done = tree.git.run("merge-base", "--is-ancestor", product, source, check=False)
    return done.status == 0
