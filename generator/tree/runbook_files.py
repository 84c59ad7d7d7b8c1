"""The pages of procedures, and those that alerts lead to, as files of the tree; no engine reads
them."""

from __future__ import annotations

from generator.monitoring import procedures, runbooks
from generator.release.release import Release
from generator.tree.tree import PAGE_MARK, Tree


def built(release: Release) -> Tree:
    """The pages of an environment by path; nothing where it asks for none."""
    definition = release.resolved.definition
    head = f"{PAGE_MARK} from {definition.path}: gen-env generate {release.resolved.name} -->\n"
    pages = {**runbooks.pages(release), **procedures.pages(release)}.items()
    return Tree(
        {f"{definition.folder}/{runbooks.FOLDER}/{name}": head + text for name, text in pages}
    )
