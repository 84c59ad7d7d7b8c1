"""`gen-env restore`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from generator.cli import common, complete


@click.command(name="restore")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option("--at", metavar="TIME", help="The newest backup of that time or before, with zone.")
@click.option(
    "--to", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="Where the files go (default: restore/ENV).",
)  # fmt: skip
@click.option("--helm", metavar="FILE", help="A helm binary to render with.")
def command(environment: str, at: str | None, folder: Path | None, helm: str | None) -> int:
    """Write the steps of restoring ENV's database: a page, and a manifest for each Job.

    Stop, restore, migrate, one pod, all. Nothing is applied; neither the cluster nor the storage is
    asked. The files belong to one restore: they need not be committed, and no engine applies them.
    """
    from generator.actions.recovery import restore
    from generator.core.files import WorkTree
    from generator.pipeline import generate, toolchain

    moment = restore.moment(at)
    root = common.root()
    files = WorkTree(root)
    built = common.built(files, environment)
    if built is None:
        return 1
    problems = list(built.problems)
    rendered = None
    if built.release is not None:
        restore.require(built.release)
        rendered = generate.render_release(
            built, toolchain.charts(files, root), toolchain.lazy(files, helm), problems
        )
    common.tell(problems, err=True)
    if built.release is None or rendered is None:
        return 1
    found = restore.prepare(built.release, rendered.manifests, moment)
    target = folder if folder is not None else root / "restore" / environment
    _write(target, found.files)
    for item in restore.NOT_READ:
        common.say(f"not read: {item}")
    return 0


def _write(target: Path, files: Mapping[str, str]) -> None:
    from generator.core.errors import UserError

    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8")
            click.echo(target / name)
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror}", path=str(target)) from None
