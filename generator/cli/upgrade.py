"""`gen-env upgrade`."""

from __future__ import annotations

import click

from generator.cli import common


@click.command(name="upgrade")
@click.argument("environments", nargs=-1, required=True, metavar="ENV...")
@click.option("--chart", metavar="VERSION", help="Chart version to move to.")
@click.option("--airflow", metavar="VERSION", help="Airflow version to move to.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def command(
    environments: tuple[str, ...], chart: str | None, airflow: str | None, dry_run: bool
) -> int:
    """Edit the definitions in place (comments kept), regenerate, and say what to mind.

    Lists removed, changed and newly required chart values, breaking steps, whether the database is
    migrated and how to come back, and the order to do things in.
    """
    from generator import engines, repo, upgrade
    from generator.files import WorkTree

    root = common.root()
    files = WorkTree(root)
    wish = upgrade.Wish(chart, airflow)
    charts, renderer = engines.charts(files, root), engines.lazy(files)
    failed = False
    for item in upgrade.prepare(root, environments, wish, charts, renderer):
        click.secho(f"{item.name}: {', '.join(item.moves)}", bold=True)
        for note in item.notes:
            click.echo(f"  - {note}")
        click.echo("  In this order:")
        for number, step in enumerate(item.steps, start=1):
            click.echo(f"  {number}. {step}")
        common.tell(item.problems, err=True)
        if not item.possible:
            failed = True
            common.say(f"{item.name}: nothing was written")
        elif not dry_run:
            repo.apply(root, item.plan)
            for path in item.plan.paths:
                click.echo(path)
    return 1 if failed else 0
