"""`gen-env image lock`, `check`, `pin` and `ci`: an image of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common, complete
from generator.core.errors import UserError

if TYPE_CHECKING:
    from generator.actions.image_check import Result
    from generator.core.files import WorkTree
    from generator.definition.resolve import Resolved

_ENV = click.argument("environment", metavar="ENV", shell_complete=complete.environments)


@click.command()
@_ENV
@click.option("--check", is_flag=True, help="Write nothing; fail if the lock is out of date.")
def lock(environment: str, check: bool) -> int:
    """Lock the Python packages of the image of ENV, each with its digests. uv makes the lock.

    Versions follow Airflow's constraints where image.build.constraints names the file; otherwise
    only uploads up to the release day of Airflow count, or up to image.build.notAfter.
    """
    from generator.actions import image_lock
    from generator.image_build import lock as lock_file
    from generator.tree import writer
    from generator.tree.plan import Plan

    files, resolved = _resolved(environment)
    known = image_lock.facts(files, resolved)
    present = files.read(known.lock)
    if check:
        fault = lock_file.fault(present, known.inputs, known.lock)
        if fault:
            raise UserError(fault, hint=f"run: gen-env image lock {environment}")
        common.say(f"{known.lock} fits the definition; no index was asked")
        return 0
    common.progress("locking")
    text = image_lock.made(files, known)
    writer.apply(files.root, Plan({known.lock: text}))
    click.echo(known.lock)
    changed = image_lock.changes(present or b"", text.encode())
    for item in changed if present is not None else ():
        common.say(f"  {item.name} {item.before or 'none'} → {item.after or 'none'}")
    bound = known.build.constraints or f"uploads up to {known.day}"
    count = len(lock_file.versions(text.encode()))
    common.say(f"Locked {count} packages for Python {known.build.python} by {bound}")
    return 0


@click.command()
@_ENV
@click.option("--digest", metavar="DIGEST", help="The digest, as the build gave it.")
@click.option("--base", is_flag=True, help="Pin image.build.base instead of the image that runs.")
def pin(environment: str, digest: str | None, base: bool) -> int:
    """Write the digest of the image of ENV into its definition: that of its tag in the registry.

    Everything else in the file stays as it is, comments too.
    """
    from generator.actions import image_pin
    from generator.core.files import Overlay
    from generator.tree import writer
    from generator.tree.plan import Plan

    files, resolved = _resolved(environment)
    image = image_pin.subject(resolved, base=base)
    if digest is None:
        common.progress(f"asking the registry of {image.repository}")
    found = image_pin.given(digest) if digest else image_pin.digest_of(image)
    text = image_pin.edited(resolved, image, found, base=base)
    path = resolved.definition.path
    edited = common.built(Overlay(files, {path: text.encode()}), environment)
    if edited is None or edited.resolved is None:
        common.tell(edited.problems if edited else (), err=True)
        raise UserError("the definition would be invalid: nothing is written", path=path)
    writer.apply(files.root, Plan({path: text}))
    click.echo(path)
    if digest:
        common.say(f"{image.repository} is pinned; the registry was not asked for {digest[:19]}…")
    return 0


@click.command()
@_ENV
@click.option("--forge", type=click.Choice(("github", "gitlab", "gitea")), required=True)
@click.option(
    "--builder", type=click.Choice(("buildkit", "buildah")), default="buildkit", show_default=True
)
def ci(environment: str, forge: str, builder: str) -> int:
    """Print the CI steps that build and push the image of ENV, for one forge and one builder."""
    from generator.actions import image_lock
    from generator.image_build import ci as steps

    files, resolved = _resolved(environment)
    known = image_lock.facts(files, resolved)
    settings = resolved.settings.repository
    image = resolved.environment.image
    plan = steps.Plan(
        known,
        f"{image.repository}:{resolved.environment.image_tag}",
        settings.repository.branch,
        settings.repository.prefix,
    )
    click.echo(steps.text(plan, forge, builder), nl=False)
    common.say(f"save it as {steps.place(environment, forge)}")
    return 0


@click.command()
@_ENV
@common.output("table", "json")
def check(environment: str, form: str) -> int:
    """Install the lock of ENV in a throw-away environment and look at what it would break.

    Airflow's components are imported, provider versions are held against those that Airflow asks
    for, and the DAGs of image.build.dags are imported: their code runs on this machine, as you.
    What could not be looked at is listed; without it the answer is not complete.
    """
    from generator.actions import image_check

    files, resolved = _resolved(environment)
    result = image_check.check(files.root, files, resolved, common.progress)
    _show(result, form)
    return 0 if result.passed else 1


def _show(result: Result, form: str) -> None:
    if form == "json":
        common.emit(result.as_json(), form)
        return
    for fault in result.faults:
        click.secho("error   ", fg="red", bold=True, nl=False)
        click.echo(f" {fault}")
    for item in result.checked:
        click.echo(f"checked  {item}")
    for missing in result.not_read:
        click.echo(f"not checked  {missing}")
    common.say(result.verdict)


def _resolved(environment: str) -> tuple[WorkTree, Resolved]:
    from generator.core.files import WorkTree

    root: Path = common.root()
    files = WorkTree(root)
    built = common.built(files, environment)
    if built is None:
        raise UserError(f"{environment}: fix gen-env.yaml first")
    if built.resolved is None:
        common.tell(built.problems, err=True)
        raise UserError(f"{environment}: fix the definition first", path=built.definition.path)
    return files, built.resolved
