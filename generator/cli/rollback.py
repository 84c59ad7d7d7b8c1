"""`gen-env rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from generator.cli import common, complete, pull_requests

if TYPE_CHECKING:
    from generator.promotion.promote import Toolchain
    from generator.promotion.rollback import Rollback


@click.command(name="rollback")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--to", "revision", metavar="REV", help="Revision to go back to.")
@click.option("--pr", "pull", is_flag=True, help="Push, and open or update the pull request.")
@click.option(
    "--force",
    metavar="REASON",
    help="Roll back although the database needs manual steps or a state cannot be rendered.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "markdown", "json")
def command(
    environment: str,
    revision: str | None,
    pull: bool,
    force: str | None,
    dry_run: bool,
    form: str,
) -> int:
    """Propose a rollback of ENV: a commit on branch rollback/ENV-<hash>.

    By default the state before the last commit that touched it. Only files of ENV change, and
    never what is sealed below secrets/. Work tree and index stay as they are.
    """
    from generator.promotion import rollback

    base_branch, tools, now = pull_requests.start(pull=pull, dry_run=dry_run)
    options = rollback.Options(environment, revision, force)
    found = rollback.prepare(base_branch, options, tools, now)
    if found.empty:
        common.say(f"{environment} on {base_branch.branch} already matches {found.revision[:12]}")
        if form == "json":
            common.emit(_json(found), form)
        return 0
    _show(found, form, tools)
    stopped = pull_requests.stopped_by(found.regenerated.problems)
    common.tell(found.unseen, err=True)
    if found.refusal:
        common.say(f"refused: {found.refusal}")
        when = "once the steps above are done or planned"
        when = "to propose it without a comparison" if found.unseen else when
        common.say(f'{when}: --force "REASON"')
        stopped = True
    if stopped or dry_run:
        common.say("nothing was written")
        return 1 if stopped else 0
    done = rollback.publish_it(found, tools, pull=pull)
    pull_requests.tell(done, base_branch.branch, form)
    return 0


def _show(found: Rollback, form: str, tools: Toolchain) -> None:
    from generator.promotion import rollback

    if form == "markdown":
        click.echo(rollback.render(found, tools), nl=False)
        return
    if form == "json":
        common.emit(_json(found), form)
        return
    click.secho(found.title, bold=True)
    click.echo(found.basis.line)
    for item in found.basis.not_read:
        click.echo(f"  - not read: {item}")
    for path in sorted(found.regenerated.changes):
        click.echo(f"  {path}")
    for note in found.notes:
        click.echo(f"  - {note}")
    if found.database:
        click.echo(f"  - {found.database}")
    for number, step in enumerate(found.steps, start=1):
        click.echo(f"  {number}. {step}")


def _json(found: Rollback) -> dict[str, Any]:
    return {
        "environment": found.options.environment,
        "revision": found.revision,
        "base": found.base_branch.base,
        "branch": found.branch,
        "files": sorted(found.regenerated.changes),
        "migration": {"kind": found.migration.kind.value, "reason": found.migration.reason},
        "steps": list(found.steps),
        "notes": list(found.notes),
        "refused": found.refusal or None,
        "forced": found.options.force,
        "problems": [item.as_json() for item in (*found.regenerated.problems, *found.unseen)],
        "basis": found.basis.as_json(),
    }
