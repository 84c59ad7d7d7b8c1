"""`gen-env explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli import common, complete

if TYPE_CHECKING:
    from generator.pipeline.generate import Built


@click.command(name="explain")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.argument("field", required=False, shell_complete=complete.fields)
@common.output("table", "json", "yaml")
def command(environment: str, field: str | None, form: str) -> int:
    """Show effective values of ENV and where each comes from.

    FIELD (such as workers.resources) narrows the output and adds the purpose of the field and
    the chart values that it decides. `flows` in its place prints who
    may talk to whom, as the generated NetworkPolicies say.
    """
    from generator.actions import explain, flows
    from generator.core.files import WorkTree
    from generator.core.problem import has_errors

    built = common.built(WorkTree(common.root()), environment)
    if built is None:
        return 1
    if built.resolved is None:
        common.tell(built.problems, err=True)
        return 1
    if field == flows.FIELD:
        return _flows(built, form)
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


def _flows(built: Built, form: str) -> int:
    from generator.actions import flows

    if built.release is None:
        common.tell(built.problems, err=True)
        return 1
    found = flows.flows(built)
    if form != "table":
        common.emit(found.as_json(), form)
        return 0
    click.echo(f"networkPolicy.mode: {found.mode}\n")
    rows = [
        (", ".join(row.sources), row.target, ", ".join(row.ports), ", ".join(row.why))
        for row in found.table.rows
    ]
    if rows:
        common.columns(rows, ("FROM", "TO", "PORTS", "WHY"))
        click.echo()
    for note in found.notes():
        click.echo(note)
    return 0
