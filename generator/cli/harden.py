"""`gen-env harden`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from generator.cli import common, complete, pull_requests
from generator.core.counted import counted

if TYPE_CHECKING:
    from generator.adoption.harden import Hardening
    from generator.core.files import Files


@click.command(name="harden")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--step", metavar="STEP", help="Step to take instead of the next one.")
@click.option(
    "--drop",
    multiple=True,
    metavar="VALUE",
    help="Drop this value (values.a.b), which has no field.",
)
@click.option("--list", "listing", is_flag=True, help="List the steps without changing anything.")
@click.option(
    "--pr",
    "pull",
    is_flag=True,
    help="Push the step on branch harden/ENV-STEP and open a pull request; the work tree does "
    "not change.",
)
@click.option("--dry-run", is_flag=True, help="Show the step without writing files.")
@common.output("table", "json")
def command(
    environment: str,
    step: str | None,
    drop: tuple[str, ...],
    listing: bool,
    pull: bool,
    dry_run: bool,
    form: str,
) -> int:
    """Apply the next hardening step to an adopted environment, the least risky one first.

    Edits the definition, regenerates, and shows the effect of the step on the cluster. Steps
    without an effect are included. A value that no field can express stops the step and is listed
    with both solutions. Commit each step alone, and verify it before the next one.
    """
    from generator.adoption import harden
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.tree import writer

    root = common.root()
    files = WorkTree(root)
    if listing:
        return _list(files, environment, form)
    if pull:
        return _propose(environment, step, drop, dry_run=dry_run, form=form)
    common.progress("rendering both sides")
    found = harden.prepare(
        files, environment, step, toolchain.charts(files, root), toolchain.lazy(files), drop
    )
    _present(found, form, written=found.possible and not dry_run)
    if not found.possible:
        return _stopped(found)
    if not dry_run:
        writer.apply(root, found.plan)
        for path in found.plan.paths:
            common.say(path)
        following = f" before the next: gen-env harden {environment}"
        if found.left is not None:
            following = "; it was the last"
        common.say(f"commit this step alone and verify it{following}")
    return 0


def _propose(
    environment: str, step: str | None, drop: Sequence[str], *, dry_run: bool, form: str
) -> int:
    """The step on the default branch as the remote has it."""
    from generator.adoption import harden, harden_pull_request

    base_branch, tools, _ = pull_requests.start(pull=True, dry_run=dry_run)
    common.progress("rendering both sides")
    found = harden.prepare(base_branch.files, environment, step, tools.charts, tools.renderer, drop)
    _present(found, form, written=False)
    if not found.possible:
        return _stopped(found)
    if dry_run:
        common.say("nothing was written")
        return 0
    pull_requests.tell(
        harden_pull_request.publish_it(base_branch, found, tools), base_branch.branch, form
    )
    return 0


def _stopped(found: Hardening) -> int:
    common.say("nothing was written")
    if found.stuck:
        drops = " ".join(f"--drop {name}" for name in found.stuck)
        common.say(
            "to drop all of that and see the effect: "
            f"gen-env harden {found.name} --step {found.steps[-1]} {drops}"
        )
    return 1


def _list(files: Files, environment: str, form: str) -> int:
    from generator.adoption import harden
    from generator.pipeline import toolchain

    states = harden.states(files, environment, toolchain.charts(files, common.root()))
    if form == "json":
        shape = [
            {
                "step": it.step,
                "taken": it.taken,
                "values": it.values,
                "about": harden.ABOUT[it.step],
            }
            for it in states
        ]
        common.emit(shape, form)
        return 0
    rows = [
        (
            state.step,
            "taken"
            if state.taken
            else counted(state.values, "value")
            if state.values
            else "no change",
            harden.ABOUT[state.step],
        )
        for state in states
    ]
    common.columns(rows, ("STEP", "STATE", "WHAT IT DOES"))
    return 0


def _present(found: Hardening, form: str, *, written: bool) -> None:
    """Print the step for a person, or as the documented shape."""
    if form == "table":
        _show(found)
        return
    from generator.report import json_report

    shape = {
        "environment": found.name,
        "steps": list(found.steps),
        "possible": found.possible,
        "converted": list(found.converted),
        "dropped": list(found.dropped),
        "stuck": list(found.stuck),
        "left": list(found.left or ()),
        "files": list(found.plan.paths),
        "written": written,
        "diff": json_report.as_json(found.report) if found.report else None,
        "problems": [item.as_json() for item in found.problems],
    }
    common.emit(shape, form)
    common.tell(found.problems, err=True)


def _show(found: Hardening) -> None:
    from generator.actions import diff
    from generator.adoption import harden

    for step in found.steps:
        click.secho(f"{step}: {harden.ABOUT[step]}", bold=True)
    if found.converted:
        click.echo(f"now fields: {', '.join(found.converted)}")
    if found.dropped:
        click.echo(f"no longer in values: {', '.join(found.dropped)}")
    if found.left:
        click.echo(f"stays in values, as no field in use decides it: {', '.join(found.left)}")
    common.tell(found.problems, err=True)
    if found.report is not None:
        colour = click.get_current_context().color
        text = diff.formatted(found.report, "table", 60_000, color=bool(colour))
        click.echo(text, nl=False)
