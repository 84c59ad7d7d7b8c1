"""`gen-env generate`."""

from __future__ import annotations

import click

from generator.cli import common
from generator.core.counted import counted


@click.command(name="generate")
@click.argument("environments", nargs=-1, metavar="[ENV]...")
@click.option("--check", is_flag=True, help="Write nothing; fail if anything differs.")
def command(environments: tuple[str, ...], check: bool) -> int:
    """Write the trees of these environments (by default: of all).

    An environment with errors is left as it is; the others are written. With --check nothing is
    written, and every file that differs is named with its first differing line.
    """
    from generator.core.files import WorkTree
    from generator.core.problem import has_errors
    from generator.definition import location
    from generator.pipeline import generate, toolchain
    from generator.tree import plan, writer

    root = common.root()
    files = WorkTree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    generation = generate.generate(files, environments, charts, renderer)
    misplaced = list(location.problems(root, generation.catalogue.settings))
    problems = [*generation.problems, *misplaced]
    failed = generation.failed
    written: list[str] = []
    for outcome in generation.outcomes:
        if misplaced or outcome.name in failed or not outcome.plan:
            continue
        if check:
            problems += plan.drift(files, outcome.plan, outcome.name)
        else:
            writer.apply(root, outcome.plan)
            written += outcome.plan.paths
    common.tell(problems, err=not check)
    for path in written:
        click.echo(path)
    environments = counted(len(generation.built), "environment")
    done = f"Generated {environments} ({counted(len(written), 'file')} written)."
    if check:
        done = f"Checked {environments}."
    common.say(f"{done} {common.summary(problems).capitalize()}.")
    return 1 if has_errors(problems) else 0
