"""`gen-env rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common, complete

if TYPE_CHECKING:
    from generator.definition.rehearsal_file import Rehearsal
    from generator.release.release import Release

_SLOW = 8
_FILE = click.Path(path_type=Path)


@click.command(name="rehearse")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--airflow", metavar="VERSION", required=True, help="The release of the upgrade.")
@click.option("--dump", metavar="FILE", type=_FILE, help="A dump, or a folder of backups.")
@click.option(
    "--identity", metavar="FILE", type=_FILE, help="Age's private key, if it is encrypted."
)
@click.option(
    "--rows",
    metavar="TABLE=N|FILE",
    multiple=True,
    help="Rows of the production, or a backup's manifest.",
)
@click.option(
    "--python",
    metavar="FILE",
    type=_FILE,
    help="An interpreter with the target's packages (default: made with uv).",
)
@click.option(
    "--repeat",
    default=3,
    show_default=True,
    type=click.IntRange(1, 9),
    help="How often the migration runs.",
)
@click.option("--work", metavar="DIR", type=_FILE, help="Where the server keeps its files.")
@click.option("--job", is_flag=True, help="Print the Job that does it in the cluster.")
@click.option("--image", metavar="IMAGE", help="With --job: the target's image.")
@click.option("--result", metavar="FILE", type=_FILE, help="What the Job has printed.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "json")
def command(
    environment: str,
    airflow: str,
    dump: Path | None,
    identity: Path | None,
    rows: tuple[str, ...],
    python: Path | None,
    repeat: int,
    work: Path | None,
    job: bool,
    image: str | None,
    result: Path | None,
    dry_run: bool,
    form: str,
) -> int:
    """Run the migration of an upgrade on a copy of ENV's database, and say what it will take.

    Restores a dump into a PostgreSQL server that it starts and stops, runs the migration of the
    target's own Airflow there, revision by revision, and the way back. Writes rehearsal.json into
    the environment's folder: times, locks and sizes, no data.

    With --job: prints a Job that does the same in the cluster with the last backup, so that no data
    leaves it; `--result FILE` reads what it has printed.
    """
    from generator.core.files import WorkTree
    from generator.definition import rehearsal_file
    from generator.tree import writer
    from generator.tree.plan import Plan

    if sum((dump is not None, job, result is not None)) != 1:
        raise click.UsageError("give one of --dump, --job and --result")
    root = common.root()
    built = common.built(WorkTree(root), environment)
    if built is None or built.release is None:
        common.tell(built.problems if built else (), err=True)
        return 1
    if job:
        return _job(built.release, airflow, image, repeat)
    if image is not None:
        raise click.UsageError("--image goes with --job")
    from generator.actions.recovery import rehearse
    from generator.actions.recovery.rehearse import Options

    if result is not None:
        found = rehearse.of_job(built.release, airflow, result, rows)
    else:
        assert dump is not None
        options = Options(airflow, dump, identity, rows, python, repeat, work)
        found = rehearse.here(built.release, options, common.progress)
    path = f"{built.release.resolved.definition.folder}/{rehearsal_file.FILE_NAME}"
    if not dry_run:
        writer.apply(root, Plan({path: found.text()}))
    if form == "json":
        common.emit(found.model_dump(mode="json", by_alias=True), form)
        return _status(found)
    _show(found)
    if not dry_run:
        click.echo(path)
    return _status(found)


def _status(found: Rehearsal) -> int:
    """1 if the migration, or the commands of the way back, do not work."""
    return 0 if found.outcome == "passed" and found.back.outcome in ("returns", "none") else 1


def _job(release: Release, airflow: str, image: str | None, repeat: int) -> int:
    from generator.actions.recovery import rehearse

    found = rehearse.job(release, airflow, image, repeat)
    click.echo(found.text, nl=False)
    for line in found.notes:
        common.say(line)
    return 0


def _show(found: Rehearsal) -> None:
    from generator.actions.recovery.measurement import shown_locks
    from generator.definition.rehearsal_file import lasting, shown

    click.secho(f"{found.environment}: {found.line}", bold=True)
    common.columns(
        [
            (step.name, lasting(step.seconds), shown(step.estimate), ", ".join(step.rewrites))
            for step in sorted(found.steps, key=lambda step: -step.estimate.seconds)[:_SLOW]
        ],
        ("REVISION", "MEASURED", "EXPECTED", "REWRITES"),
    )
    for step in found.steps:
        if step.estimate.seconds >= 1 and (locks := shown_locks(step)):
            click.echo(f"  {step.revision} locks {locks}")
    if found.runs:
        megabytes = f"{found.room / 1e6:.0f} MB on top, {found.wal / 1e6:.0f} MB of write-ahead log"
        click.echo(f"  room: {megabytes}")
    if found.outcome == "passed":
        click.echo(f"  the way back: {', then '.join(found.back.commands) or 'no command'}")
    for line in found.back.differs:
        click.echo(f"  - {line}")
    for line in found.not_read:
        common.say(f"not read: {line}")
