"""`gen-env upgrade`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from generator.cli import common, complete

if TYPE_CHECKING:
    from generator.actions.upgrade import Upgrade
    from generator.actions.upgrades.change import Options
    from generator.actions.upgrades.proof import Proof
    from generator.definition.rehearsal_file import Rehearsal


@click.command(name="upgrade")
@click.argument("environments", nargs=-1, metavar="[ENV]...", shell_complete=complete.environments)
@click.option(
    "--chart",
    metavar="VERSION",
    shell_complete=complete.charts,
    help="Chart version to upgrade to.",
)
@click.option("--airflow", metavar="VERSION", help="Airflow version to upgrade to.")
@click.option(
    "--new-defaults",
    is_flag=True,
    help="With --chart: take changed defaults instead of keeping the old ones.",
)
@click.option(
    "--rehearsal",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --airflow: what gen-env rehearse has written; kept in the environment's folder.",
)
@click.option(
    "--dags",
    type=click.Choice(["bundles"]),
    help="Convert dags.gitSync into a DAG bundle of Airflow 3.",
)
@click.option(
    "--gen-env",
    "itself",
    is_flag=True,
    help="Regenerate trees that another version of gen-env generated.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "json")
def command(
    environments: tuple[str, ...],
    chart: str | None,
    airflow: str | None,
    new_defaults: bool,
    rehearsal: Path | None,
    dags: Literal["bundles"] | None,
    itself: bool,
    dry_run: bool,
    form: str,
) -> int:
    """Edit the definitions in place (comments kept), regenerate, and list the required steps.

    Lists removed, changed and newly required chart values, breaking steps, whether the database is
    migrated and how to roll back, and the order of the steps; shows the rendered difference, and
    which objects stay the same. Keys of values: move to the names that the new chart reads; an old
    default that the new chart has changed, and that an object depends on, is written there. Where
    that chart cannot run the present Airflow, nothing is written and the order is shown.

    With --dags bundles: dags.gitSync becomes a git bundle of Airflow 3, with a Secret to be sealed
    for its connection. Lists what changes, what was not read, and the order of the steps.

    With --gen-env: what this version of gen-env changes in trees that another version generated,
    per environment. Writes those that are named; without ENV shows all and writes nothing.
    """
    if itself:
        if chart or airflow or dags or new_defaults or rehearsal:
            raise click.UsageError("--gen-env cannot be combined with another upgrade")
        if form == "json":
            raise click.UsageError("--gen-env has no JSON form")
        return _itself(environments, dry_run=dry_run or not environments)
    if not environments:
        raise click.UsageError("name an environment")
    from generator.actions.upgrades.change import Options

    options = Options(chart, airflow, dags, new_defaults, _read(rehearsal) if rehearsal else None)
    return _edited(environments, options, dry_run=dry_run, form=form)


def _read(path: Path) -> Rehearsal:
    from generator.core.errors import UserError
    from generator.definition import rehearsal_file

    try:
        return rehearsal_file.read(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", path=str(path)) from None


def _itself(environments: tuple[str, ...], *, dry_run: bool) -> int:
    from generator.actions import diff, regenerate
    from generator.core.files import WorkTree
    from generator.definition import lock_file
    from generator.pipeline import toolchain
    from generator.tree import writer

    root = common.root()
    files = WorkTree(root)
    common.progress("generating in memory, and rendering what differs")
    found = regenerate.prepare(
        root, environments, toolchain.charts(files, root), toolchain.lazy(files)
    )
    click.secho(f"this is gen-env {lock_file.version()}", bold=True)
    common.columns([(item.name, item.summary) for item in found.renewals], ("ENVIRONMENT", "TREE"))
    if found.report is not None:
        colour = click.get_current_context().color
        text = diff.formatted(found.report, "table", 60_000, color=bool(colour))
        click.echo(text, nl=False)
    common.tell(found.problems, err=True)
    if dry_run:
        common.say("nothing was written; name an environment to write its tree")
    elif found.plan:
        writer.apply(root, found.plan)
        for path in found.plan.paths:
            click.echo(path)
        common.say("commit one environment at a time, and verify it before the next")
    return 0 if all(item.possible for item in found.renewals) else 1


def _edited(environments: tuple[str, ...], options: Options, *, dry_run: bool, form: str) -> int:
    from generator.actions import upgrade
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.tree import writer

    root = common.root()
    files = WorkTree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    common.progress("generating and rendering both sides")
    found = upgrade.prepare(root, environments, options, charts, renderer)
    for item in found:
        if form == "table":
            _show(item)
        common.tell(item.problems, err=True)
        if not item.possible:
            common.say(f"{item.name}: nothing was written")
        elif not dry_run:
            writer.apply(root, item.plan)
            for path in item.plan.paths if form == "table" else ():
                click.echo(path)
    if form == "json":
        common.emit([_json(item, dry_run=dry_run) for item in found], form)
    return 0 if all(item.possible for item in found) else 1


def _show(item: Upgrade) -> None:
    click.secho(f"{item.name}: {', '.join(item.moves)}", bold=True)
    for note in item.notes:
        click.echo(f"  - {note}")
    if item.route:
        way = "Safer one at a time" if item.possible else "Possible one at a time"
        click.echo(f"  {way}, verified after each:")
        for number, text in enumerate(item.route, start=1):
            click.echo(f"  {number}. {text}")
    if item.steps and (item.possible or not item.route):
        click.echo("  In this order:")
        for number, step in enumerate(item.steps, start=1):
            click.echo(f"  {number}. {step}")
    if item.proof is not None:
        _prove(item.proof)


def _json(item: Upgrade, *, dry_run: bool) -> dict[str, Any]:
    """The documented shape; `diff` is that of `gen-env diff`, null where nothing was compared."""
    from generator.report import json_report

    return {
        "environment": item.name,
        "moves": list(item.moves),
        "possible": item.possible,
        "notes": list(item.notes),
        "route": list(item.route),
        "steps": list(item.steps),
        "files": list(item.plan.paths),
        "written": item.possible and not dry_run,
        "diff": json_report.as_json(item.proof.report) if item.proof else None,
        "unchanged": list(item.proof.same) if item.proof else [],
        "problems": [problem.as_json() for problem in item.problems],
    }


def _prove(proof: Proof) -> None:
    from generator.actions import diff

    colour = click.get_current_context().color
    click.echo(diff.formatted(proof.report, "table", 60_000, color=bool(colour)), nl=False)
    click.echo(f"  {proof.summary}")
    for name in proof.same:
        click.echo(f"    = {name}")
