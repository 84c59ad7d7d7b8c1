"""`gen-env secrets`."""

from __future__ import annotations

import click

from generator.cli import common, complete
from generator.core.counted import counted


@click.command(name="secrets")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@common.output("table", "json", "yaml")
def command(environment: str, form: str) -> int:
    """List every secret that ENV needs: keys, state (missing, stub, sealed), who reads it."""
    from generator.core.files import WorkTree
    from generator.tree import secret_state

    built = common.built(WorkTree(common.root()), environment)
    if built is None:
        return 1
    if built.release is None:
        common.tell(built.problems, err=True)
        return 1
    rows = secret_state.rows(built.release, built.secrets)
    if form != "table":
        common.emit([row.as_json() for row in rows], form)
        return 0
    common.columns(
        [(row.secret, row.key, row.state, row.made, row.why) for row in rows],
        ("SECRET", "KEY", "STATE", "HOW", "WHY"),
    )
    left = sum(row.state in ("stub", "missing") for row in rows)
    if left:
        click.echo(f"\n{counted(left, 'key')} to seal: gen-env seal {environment} SECRET", err=True)
    return 0
