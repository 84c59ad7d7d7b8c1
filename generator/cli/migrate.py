"""`gen-env migrate`."""

from __future__ import annotations

import click

from generator.cli import common


@click.command(name="migrate")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def command(dry_run: bool) -> int:
    """Rewrite definitions and gen-env.yaml for today's apiVersion, comments kept.

    A file of a newer apiVersion than this gen-env knows stops everything.
    """
    from generator.actions import migrate
    from generator.core.files import WorkTree
    from generator.model.environment import API_VERSION
    from generator.tree import writer

    root = common.root()
    found = migrate.prepare(WorkTree(root))
    common.tell(found.problems, err=True)
    if found.problems:
        common.say("nothing was written")
        return 1
    if not found.plan:
        first = "" if migrate.MIGRATIONS else ", the first version there is"
        common.say(f"{found.looked_at} files: all are {API_VERSION}{first}")
        return 0
    for path, versions in sorted(found.moves.items()):
        click.echo(f"{path}: {' → '.join(versions)}")
    if not dry_run:
        writer.apply(root, found.plan)
        common.say("next: gen-env generate, then look at gen-env diff")
    return 0
