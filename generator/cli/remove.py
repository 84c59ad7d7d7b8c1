"""`gen-env remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli import common, complete

if TYPE_CHECKING:
    from generator.actions.remove import Removal


@click.command(name="remove")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--branch", help="Branch for the commit (default: remove/ENV).")
@click.option("--no-commit", is_flag=True, help="Remove the files without a commit.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "json")
def command(environment: str, branch: str | None, no_commit: bool, dry_run: bool, form: str) -> int:
    """Remove ENV from git: a commit on branch remove/ENV, and the steps that the cluster needs.

    Merging it deletes nothing in the cluster from staging up: no engine prunes an environment. The
    output says what becomes of data, and what to do in which order. Refused while a promotion path
    names ENV.
    """
    from generator.actions import remove
    from generator.core.files import WorkTree
    from generator.core.problem import has_errors
    from generator.pipeline import toolchain
    from generator.tree import writer

    root = common.root()
    files = WorkTree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    found = remove.prepare(root, environment, charts, renderer)
    stopped = has_errors(found.problems)
    common.tell(found.problems, err=True)
    made: dict[str, str] = {}
    if dry_run or stopped:
        pass
    elif no_commit:
        writer.apply(root, found.plan)
    else:
        target = branch or f"remove/{environment}"
        made = {"branch": target, "commit": remove.commit(root, found, target)}
    if form == "json":
        common.emit({**found.as_json(), "branch": "", "commit": "", **made}, form)
    else:
        _show(found)
    if made:
        common.say(f"committed {made['commit'][:12]} on {made['branch']}")
    if dry_run or stopped:
        common.say("nothing was written")
    return 1 if stopped else 0


def _show(found: Removal) -> None:
    from generator.actions.remove import NOT_READ

    for path in found.plan.removals:
        click.echo(f"D {path}")
    for path in sorted(found.plan.writes):
        click.echo(f"M {path}")
    rows = [(item.what, "kept" if item.kept else "lost", item.why) for item in found.data]
    if rows:
        click.echo()
        common.columns(rows, ("DATA", "IS", "WHY"))
    click.echo()
    for number, step in enumerate(found.steps, start=1):
        click.echo(f"{number}. {step}")
    for item in NOT_READ:
        common.say(f"not read: {item}")
