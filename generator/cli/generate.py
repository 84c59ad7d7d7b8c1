"""`gen-env generate`."""

from __future__ import annotations

import click

from generator.cli import common, complete
from generator.core.counted import counted


@click.command(name="generate")
@click.argument("environments", nargs=-1, metavar="[ENV]...", shell_complete=complete.environments)
@click.option("--check", is_flag=True, help="Write nothing; fail if anything differs.")
@common.output("table", "json")
def command(environments: tuple[str, ...], check: bool, form: str) -> int:
    """Generate the trees of these environments (default: all).

    An environment with errors does not change; the others are written. With --check nothing is
    written, and every file that differs is named with its first differing line.
    """
    from generator.core import basis
    from generator.core.problem import has_errors, ordered
    from generator.definition import location
    from generator.pipeline import generate, judged, stale, toolchain
    from generator.tree import catalogue, plan, writer

    root = common.root()
    files = toolchain.work_tree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    found, policy = catalogue.load(files), ""
    if check:
        found, policy = judged.trusted(root, found)
    generation = generate.generate(files, environments, charts, renderer, found)
    misplaced = list(location.problems(root, generation.catalogue.settings))
    problems = [*generation.problems, *misplaced]
    if check:
        problems = judged.of_this_change(root, found.settings, problems)
    failed = generation.failed
    paths: list[str] = []
    deleted: list[str] = []
    for outcome in generation.outcomes:
        if misplaced or outcome.name in failed or not outcome.plan:
            continue
        if check:
            is_stale = stale.is_stale(root, outcome.name, outcome.plan.paths)
            problems += plan.drift(files, outcome.plan, outcome.name, stale=is_stale)
        else:
            writer.apply(root, outcome.plan)
            paths += outcome.plan.paths
            deleted += outcome.plan.removals
    names = [item.name for item in generation.outcomes if item.name]
    if not check:
        names = [] if misplaced else [name for name in names if name not in failed]
    bases = {name: judged.basis(generation.built[name], policy) for name in names}
    for line in basis.lines(bases) if check else ():
        common.say(line)
    whole = basis.together(bases.values())
    written = [path for path in paths if path not in deleted]
    if form == "json":
        shape = {"environments": names, "written": written, "deleted": deleted}
        told = [problem.as_json() for problem in ordered(problems)]
        common.emit({**shape, "problems": told, "basis": whole.as_json()}, form)
    else:
        common.tell(problems, err=not check)
        for path in paths:
            click.echo(path)
    done = _done(len(names), None if check else (len(written), len(deleted)))
    common.say(f"{done}: {common.outcome(problems, whole)}")
    return 1 if has_errors(problems) else 0


def _done(environments: int, files: tuple[int, int] | None) -> str:
    """`Generated 2 environments (3 files written, 1 deleted)`; without files it was a check."""
    what = counted(environments, "environment")
    if files is None:
        return f"Checked {what}"
    deleted = f", {files[1]:,} deleted" if files[1] else ""
    return f"Generated {what} ({counted(files[0], 'file')} written{deleted})"
