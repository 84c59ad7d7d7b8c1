"""`gen-env pause`."""

from __future__ import annotations

import click

from generator.cli import common, complete, pull_requests


@click.command(name="pause")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--resume", is_flag=True, help="Resume the syncs.")
@click.option(
    "--until", metavar="WHEN", help="End of the pause: a duration (8h) or a time with its zone."
)
@click.option("--pr", "pull", is_flag=True, help="Push, and open or update the pull request.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def command(environment: str, resume: bool, until: str | None, pull: bool, dry_run: bool) -> int:
    """Pause or resume automated syncs of ENV: a commit on branch pause/ENV.

    With a managed AppProject a sync window denies; otherwise sync.automated is switched off.
    --resume undoes exactly that. Work tree and index stay as they are.
    """
    from generator.promotion import pause

    base_branch, tools, now = pull_requests.start(pull=pull, dry_run=dry_run)
    found = pause.prepare(base_branch, pause.Options(environment, resume, until), tools, now)
    if found.nothing:
        common.say(f"nothing to do: {found.nothing}")
        return 0
    click.secho(found.title, bold=True)
    for path in sorted(found.regenerated.changes):
        click.echo(f"  {path}")
    for note in found.notes:
        click.echo(f"  - {note}")
    stopped = pull_requests.stopped_by(found.regenerated.problems)
    if stopped or dry_run:
        common.say("nothing was written")
        return 1 if stopped else 0
    pull_requests.tell(pause.publish_it(found, tools, pull=pull), base_branch.branch)
    return 0
