"""`gen-env validate`."""

from __future__ import annotations

import datetime

import click

from generator.cli import common, complete
from generator.core.counted import counted


@click.command(name="validate")
@click.argument("environments", nargs=-1, metavar="[ENV]...", shell_complete=complete.environments)
@common.output("table", "json", "yaml")
@click.option("--helm", metavar="FILE", help="Render with this helm binary.")
def command(environments: tuple[str, ...], form: str, helm: str | None) -> int:
    """Check these environments (default: all) and report every problem at once.

    Definitions, generated trees, chart values, rendered objects, secrets and policy. Checks that
    cannot run here are listed as not done.
    """
    from generator.actions import validate
    from generator.core.basis import lines
    from generator.core.problem import has_errors
    from generator.pipeline import toolchain

    root = common.root()
    files = toolchain.work_tree(root)
    repository = toolchain.settings(files)
    renderer = toolchain.lazy(files, helm)
    tools = validate.Toolchain(
        files=files,
        charts=toolchain.charts(files, root),
        renderer=renderer,
        again=renderer.again,
        now=datetime.datetime.now(datetime.UTC),
        crds=validate.crd_folder(root, repository.crds if repository else None),
        progress=common.progress,
        root=root,
    )
    result = validate.validate(environments, tools)
    if form != "table":
        common.emit(result.as_json(), form)
        return 1 if has_errors(result.problems) else 0
    for line in lines(result.bases):
        common.say(line)
    common.tell(result.problems)
    for problem, item in result.suppressed:
        click.secho(
            f"accepted {problem.place}  [{problem.rule}] until {item.expires}: {item.reason}",
            dim=True,
        )
    undone: dict[tuple[str, str], list[str]] = {}
    for missing in result.not_done:
        undone.setdefault((missing.check, missing.reason), []).append(missing.environment)
    for (check, reason), names in undone.items():
        click.secho("not done ", fg="magenta", bold=True, nl=False)
        click.echo(f"{check} ({', '.join(names)}): {reason}")
    common.say(
        f"{counted(len(result.environments), 'environment')} checked: "
        f"{common.outcome(result.problems, result.basis)}"
        + (f", {counted(len(result.suppressed), 'finding')} accepted" if result.suppressed else "")
        + (f", {counted(len(result.not_done), 'check')} not done" if result.not_done else "")
    )
    return 1 if has_errors(result.problems) else 0
