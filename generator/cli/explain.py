"""`gen-env explain`."""

from __future__ import annotations

import click

from generator.cli import common, complete


@click.command(name="explain")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.argument("field", required=False, shell_complete=complete.fields)
@common.output("table", "json", "yaml")
def command(environment: str, field: str | None, form: str) -> int:
    """Show effective values of ENV and where each comes from.

    FIELD (such as workers.resources) narrows the output and adds the purpose of the field and
    the chart values that it decides.
    """
    from generator.actions import explain
    from generator.core.files import WorkTree
    from generator.core.problem import has_errors

    built = common.built(WorkTree(common.root()), environment)
    if built is None:
        return 1
    if built.resolved is None:
        common.tell(built.problems, err=True)
        return 1
    rows = explain.rows(built, field)
    if form != "table":
        common.emit([row.as_json() for row in rows], form)
    else:
        common.columns(
            [(row.field, row.shown, row.source) for row in rows], ("FIELD", "VALUE", "SOURCE")
        )
        for line in explain.notes(built, field):
            click.echo(line)
    return 1 if has_errors(built.problems) and built.release is None else 0
