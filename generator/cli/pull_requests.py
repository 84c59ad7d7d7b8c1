"""What promote, rollback and pause share on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common
from generator.core.errors import UserError

if TYPE_CHECKING:
    from generator.core.problem import Problem
    from generator.forge.port import ForgePort
    from generator.promotion.base_branch import BaseBranch
    from generator.promotion.promote import Published, Toolchain


def start(*, pull: bool, dry_run: bool) -> tuple[BaseBranch, Toolchain, datetime]:
    """The default branch as it is now, the means to work on it, and the time.

    Without a forge the means say why; with `pull` that is an error.
    """
    from generator.git.worktree import Worktree
    from generator.pipeline import toolchain
    from generator.promotion import forge_access
    from generator.promotion.base_branch import base_branch
    from generator.promotion.promote import Toolchain

    root = common.root()
    found = base_branch(root, fetch=pull and not dry_run)
    charts, renderer = toolchain.charts(found.files, root), toolchain.lazy(found.files)
    remote = Worktree(found.tree.root).remote_url(found.remote) if found.remote else None
    try:
        forge = forge_access.forge_of(found.settings.repository.repository, remote, os.environ)
    except UserError as error:
        if pull:
            raise
        hint = f" ({error.hint})" if error.hint else ""
        return found, Toolchain(charts, renderer, None, f"{error.message}{hint}"), datetime.now(UTC)
    return found, Toolchain(charts, renderer, forge), datetime.now(UTC)


def forge(root: Path) -> ForgePort:
    """The forge of the repository at `root`; raises UserError without one, or without a token."""
    from generator.core.files import WorkTree
    from generator.git.worktree import Worktree
    from generator.model.repository import Forge
    from generator.pipeline import toolchain
    from generator.promotion import forge_access
    from generator.promotion.base_branch import remote_of

    tree, settings = Worktree.find(root), toolchain.settings(WorkTree(root))
    remote = remote_of(tree)
    written = settings.repository if settings else Forge()
    return forge_access.forge_of(written, tree.remote_url(remote) if remote else None, os.environ)


def stopped_by(problems: Sequence[Problem]) -> bool:
    """Show the findings; whether one of them forbids to write."""
    from generator.core.problem import has_errors

    common.tell(problems, err=True)
    return has_errors(problems)


def tell(done: Published, base: str, form: str = "table") -> None:
    """Say where the commit is and what comes next: the branch or the page on standard output, but
    not after JSON, which is one document."""
    result = common.say if form == "json" else click.echo
    placed = done.placed
    word = "committed" if placed.created else "already there:"
    common.say(f"{word} {placed.commit[:12]} on {placed.branch}")
    if done.pull is not None:
        common.say(f"pull request {done.pull.number} into {base}")
        result(done.pull.url)
    else:
        result(placed.branch)
        common.say(f"next: git push origin {placed.branch}, or repeat the command with --pr")
