"""`gen-env rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli import common
from generator.cli import pull_requests as proposals

if TYPE_CHECKING:
    from generator.promotion.promote import Means
    from generator.promotion.rollback import Rollback


@click.command(name="rollback")
@click.argument("environment", metavar="ENV")
@click.option("--to", "revision", metavar="REV", help="The state to go back to.")
@click.option("--pr", "pull", is_flag=True, help="Push, and open or update the pull request.")
@click.option("--force", metavar="REASON", help="Although the database cannot simply go back.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "markdown")
def command(
    environment: str,
    revision: str | None,
    pull: bool,
    force: str | None,
    dry_run: bool,
    form: str,
) -> int:
    """Propose an earlier state of ENV: a commit on branch rollback/ENV-<hash>.

    By default the state before the last commit that touched it. Only files of ENV change, and
    never what is sealed below secrets/. Work tree and index stay as they are.
    """
    from generator.promotion import rollback

    ground, means, now = proposals.start(pull=pull, dry_run=dry_run)
    wish = rollback.Wish(environment, revision, force)
    found = rollback.prepare(ground, wish, means, now)
    if found.empty:
        common.say(f"{environment} is on {ground.branch} what it was at {found.revision[:12]}")
        return 0
    _show(found, form, means)
    stopped = proposals.stopped_by(found.regenerated.problems)
    if found.refusal:
        common.say(f"refused: {found.refusal}")
        common.say('when the steps above are done, or will be: --force "REASON"')
        stopped = True
    if stopped or dry_run:
        common.say("nothing was written")
        return 1 if stopped else 0
    proposals.tell(rollback.publish_it(found, means, pull=pull), ground.branch)
    return 0


def _show(found: Rollback, form: str, means: Means) -> None:
    from generator.promotion import rollback

    if form == "markdown":
        click.echo(rollback.render(found, means), nl=False)
        return
    click.secho(found.title, bold=True)
    for path in sorted(found.regenerated.changes):
        click.echo(f"  {path}")
    for note in found.notes:
        click.echo(f"  - {note}")
    if found.migration is not None and found.versions[0] != found.versions[1]:
        present, past = found.versions
        click.echo(f"  - Airflow {present} → {past}, {found.migration.kind.value}")
    for number, step in enumerate(found.steps, start=1):
        click.echo(f"  {number}. {step}")
