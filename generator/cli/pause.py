"""`gen-env pause`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from generator.cli import common, complete, pull_requests

if TYPE_CHECKING:
    from generator.promotion.pause import Pause


@click.command(name="pause")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--resume", is_flag=True, help="Resume the syncs.")
@click.option(
    "--until", metavar="WHEN", help="End of the pause: a duration (8h) or a time with its zone."
)
@click.option("--pr", "pull", is_flag=True, help="Push, and open or update the pull request.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "json")
def command(
    environment: str, resume: bool, until: str | None, pull: bool, dry_run: bool, form: str
) -> int:
    """Pause or resume automated syncs of ENV: a commit on branch pause/ENV.

    With a managed AppProject a sync window denies; otherwise sync.automated is switched off.
    --resume undoes exactly that. Work tree and index stay as they are.
    """
    from generator.promotion import pause

    base_branch, tools, now = pull_requests.start(pull=pull, dry_run=dry_run)
    found = pause.prepare(base_branch, pause.Options(environment, resume, until), tools, now)
    if form == "json":
        common.emit(_json(found), form)
    elif not found.nothing:
        _show(found)
    if found.nothing:
        common.say(f"nothing to do: {found.nothing}")
        return 0
    stopped = pull_requests.stopped_by(found.regenerated.problems)
    if stopped or dry_run:
        common.say("nothing was written")
        return 1 if stopped else 0
    pull_requests.tell(pause.publish_it(found, tools, pull=pull), base_branch.branch, form)
    return 0


def _show(found: Pause) -> None:
    click.secho(found.title, bold=True)
    for path in sorted(found.regenerated.changes):
        click.echo(f"  {path}")
    for note in found.notes:
        click.echo(f"  - {note}")


def _json(found: Pause) -> dict[str, Any]:
    """The documented shape: what was prepared, before anything is written."""
    return {
        "environment": found.options.environment,
        "resume": found.options.resume,
        "branch": found.branch,
        "files": [] if found.nothing else sorted(found.regenerated.changes),
        "notes": list(found.notes),
        "nothing": found.nothing,
        "problems": [item.as_json() for item in found.regenerated.problems],
    }
