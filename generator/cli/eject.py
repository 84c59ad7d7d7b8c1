"""`gen-env eject`."""

from __future__ import annotations

import click

from generator.cli import common, complete


@click.command(name="eject")
@click.argument("environments", nargs=-1, metavar="[ENV]...", shell_complete=complete.environments)
@click.option("--keep", is_flag=True, help="Keep definitions, locks and gen-env.yaml.")
@click.option("--as-is", is_flag=True, help="Eject even if a tree differs from its definition.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
def command(environments: tuple[str, ...], keep: bool, as_is: bool, dry_run: bool) -> int:
    """Convert to plain files: remove headers of generated files, definitions and locks.

    Nothing changes in the cluster. Without ENV the whole repository is ejected. A second run
    changes nothing.
    """
    from generator.actions import eject
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.tree import writer

    if not environments and eject.is_plain(common.folder()):
        common.say("already ejected: plain files")
        return 0
    root = common.root()
    files = WorkTree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    found = eject.prepare(root, environments, charts, renderer, keep=keep, as_is=as_is)
    for name in found.free:
        common.say(f"{name}: already ejected")
    if not dry_run:
        writer.apply(root, found.plan)
    for path in found.plan.paths:
        click.echo(path)
    for number, step in enumerate(found.steps, start=1):
        common.say(f"{number}. {step}")
    return 0
