"""Whether a definition is newer than the tree generated from it, by git's history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from generator.core.errors import UserError
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS
from generator.git.worktree import Worktree


def is_stale(root: Path | None, environment: str, paths: Iterable[str]) -> bool:
    """Whether definition or settings were edited after `paths` were generated.

    `paths` are generated files that differ; if one of them was edited itself, the answer is no.
    Without an environment every definition counts. Outside of git: false.
    """
    definition = f"{ROOT}/{environment}/{FILE_NAME}" if environment else ROOT
    differing = list(paths)
    if root is None or not differing:
        return False
    try:
        tree = Worktree.find(root)
        prefix = root.resolve().relative_to(tree.root.resolve())
        sources = [(prefix / path).as_posix() for path in (SETTINGS, definition)]
        made = [(prefix / path).as_posix() for path in differing]
        if tree.changed(made):
            return False
        return bool(tree.changed(sources)) or _is_newer(tree, sources, made)
    except UserError:
        return False


def _is_newer(tree: Worktree, sources: list[str], made: list[str]) -> bool:
    """Whether the sources were last committed after the files generated from them."""
    words = ("rev-list", "--max-count=1", "HEAD", "--")
    source, product = (tree.git.line_or_none(*words, *paths) for paths in (sources, made))
    if not source or not product or source == product:
        return False
    done = tree.git.run("merge-base", "--is-ancestor", product, source, check=False)
    return done.status == 0
