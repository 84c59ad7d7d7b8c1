"""`gen-env` alone: where you are, and the next sensible step."""

from __future__ import annotations

import click

from generator.cli import common
from generator.core.errors import UserError


def show() -> None:
    """Print place and next steps."""
    from generator.actions.setup import overview

    folder = common.folder()
    try:
        found = overview.inside(common.root())
    except UserError:
        found = overview.outside(folder)
    click.echo(found.place)
    click.echo("Next:")
    width = max(len(command) for command, _ in found.next)
    for command, why in found.next:
        click.echo(f"  {command.ljust(width)}  {why}")
    click.echo("gen-env --help lists the commands; gen-env doctor looks at this machine.")
