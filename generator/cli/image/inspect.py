"""`gen-env image`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common
from generator.cli.image import build
from generator.core.errors import UserError

if TYPE_CHECKING:
    from generator.actions.image import Inspected
    from generator.airflow.image_release import Reference


@click.group(name="image")
def command() -> None:
    """Build an image, and say what one holds, so that migrations are judged by it."""


for _own in (build.lock, build.check, build.pin, build.ci):
    command.add_command(_own)
_REGISTRY = "docker://"


@command.command()
@click.argument("image", required=False)
@click.option("--airflow", metavar="VERSION", help="Airflow's release, by hand.")
@click.option("--python", metavar="VERSION", help="Python's version, by hand.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME=VERSION",
    help="A provider, by hand; give all that the image has.",
)
@click.option(
    "--platform", metavar="OS/ARCH", help="Of an image in a registry, read this one only."
)
@click.option("--of", metavar="TAG|DIGEST", help="The image that it is (default: that of --env).")
@click.option("--env", "environment", metavar="ENV", help="Write image.facts of ENV.")
@common.output("yaml", "json")
def inspect(
    image: str | None,
    airflow: str | None,
    python: str | None,
    providers: tuple[str, ...],
    platform: str | None,
    of: str | None,
    environment: str | None,
    form: str,
) -> int:
    """Read Airflow, Python and providers from the layers of IMAGE. Nothing of it runs.

    IMAGE is a tar of `docker save` or of an OCI layout, or docker://NAME:TAG or
    docker://NAME@DIGEST in a registry; by default it is the image that --env runs, in its registry.
    Without --env, the facts are printed for image.facts of a definition.
    """
    by_hand = airflow or python or providers
    if by_hand and (image or platform or not airflow):
        raise click.UsageError("give either IMAGE, or --airflow VERSION and what goes with it")
    if not (by_hand or image or environment):
        raise click.UsageError("give IMAGE, or --env ENV, or --airflow VERSION")
    if platform and image and not image.startswith(_REGISTRY):
        raise click.UsageError("--platform is for an image in a registry")
    read = functools.partial(_read, image, airflow or "", python or "", providers, platform or "")
    if environment is not None:
        return _write(environment, read, of)
    inspected = read(None)
    common.emit({"image": {"facts": inspected.facts(of)}}, form)
    return 0


def _read(
    image: str | None,
    airflow: str,
    python: str,
    providers: tuple[str, ...],
    platform: str,
    own: Reference | None,
) -> Inspected:
    from generator.actions import image as action
    from generator.airflow import image_release

    if airflow:
        return action.by_hand(airflow, python, common.pairs(providers))
    if image and not image.startswith(_REGISTRY):
        common.progress(f"reading the layers of {Path(image).name}")
        return action.archive(Path(image))
    named = image_release.reference(image.removeprefix(_REGISTRY)) if image else own
    assert named is not None
    common.progress(f"fetching the layers of {named}")
    return action.registry(named, platform)


def _write(environment: str, read: Callable[[Reference], Inspected], of: str | None) -> int:
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
    inspected = read(image.image_of(built.resolved.environment))
    name = of or image.name_of(built.resolved.environment, inspected)
    text = image.edited(built.definition, inspected.facts(name))
    path = built.definition.path
    edited = common.built(Overlay(files, {path: text.encode()}), environment)
    if edited is not None and edited.resolved is None:
        common.tell(edited.problems, err=True)
        raise UserError("these facts are invalid: nothing is written")
    writer.apply(root, Plan({path: text}))
    click.echo(path)
    if inspected.is_read and not of and name not in inspected.digests:
        click.echo(_unproven(name, inspected), err=True)
    return 0


def _unproven(name: str, inspected: Inspected) -> str:
    if not inspected.digests:
        return f"not verified: no digest in the archive identifies it as {name}"
    return f"{name} is {inspected.digests[0]} today, and a tag can move: pin it as image.digest"
