"""`gen-env image`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common
from generator.core.errors import UserError

if TYPE_CHECKING:
    from generator.actions.image import Inspected


@click.group(name="image")
def command() -> None:
    """Say what an image holds, so that migrations are judged by it."""


@command.command()
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@click.option("--airflow", metavar="VERSION", help="Airflow's release, without an archive.")
@click.option("--python", metavar="VERSION", help="Python's version, without an archive.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME=VERSION",
    help="A provider, without an archive; give all that the image has.",
)
@click.option("--of", metavar="TAG|DIGEST", help="The image that it is (default: that of --env).")
@click.option("--env", "environment", metavar="ENV", help="Write image.facts of ENV.")
@common.output("yaml", "json")
def inspect(
    archive: Path | None,
    airflow: str | None,
    python: str | None,
    providers: tuple[str, ...],
    of: str | None,
    environment: str | None,
    form: str,
) -> int:
    """Read Airflow, Python and providers from ARCHIVE, a tar of `docker save` or of an OCI layout.

    Nothing of the image runs. Without --env, the facts are printed for image.facts of a definition.
    """
    from generator.actions import image

    by_hand = airflow or python or providers
    if (archive is None) == (not by_hand) or not (archive or airflow):
        raise click.UsageError("give either ARCHIVE, or --airflow VERSION and what goes with it")
    if archive is not None:
        common.progress(f"reading the layers of {archive.name}")
        inspected = image.archive(archive)
    else:
        inspected = image.by_hand(airflow or "", python or "", common.pairs(providers))
    if environment is None:
        common.emit({"image": {"facts": inspected.facts(of)}}, form)
        return 0
    return _write(environment, inspected, of, is_read=archive is not None)


def _write(environment: str, inspected: Inspected, of: str | None, *, is_read: bool) -> int:
    from generator.actions import image
    from generator.core.files import Overlay, WorkTree
    from generator.tree import writer
    from generator.tree.plan import Plan

    root = common.root()
    files = WorkTree(root)
    built = common.built(files, environment)
    if built is None:
        return 1
    if built.resolved is None:
        common.tell(built.problems, err=True)
        raise UserError(f"{environment}: fix the definition first", path=built.definition.path)
    name = of or image.name_of(built.resolved.environment, inspected)
    text = image.edited(built.definition, inspected.facts(name))
    path = built.definition.path
    edited = common.built(Overlay(files, {path: text.encode()}), environment)
    if edited is not None and edited.resolved is None:
        common.tell(edited.problems, err=True)
        raise UserError("these facts are invalid: nothing is written")
    writer.apply(root, Plan({path: text}))
    click.echo(path)
    if is_read and not of and name not in inspected.digests:
        click.echo(f"not verified: no digest in the archive identifies it as {name}", err=True)
    return 0
