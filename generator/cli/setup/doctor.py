"""`gen-env doctor`."""

from __future__ import annotations

import click

from generator.cli import common

_COLOURS = {"ok": "green", "warning": "yellow", "not looked at": "magenta"}


@click.command(name="doctor")
@click.option("--offline", is_flag=True, help="Ask no other machine.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=300),
    default=10.0,
    show_default=True,
    help="Seconds that forge and clusters get to answer.",
)
@common.output("table", "json")
def command(offline: bool, timeout: float, form: str) -> int:
    """Look at what gen-env works with: machine, charts, engine, forge and clusters.

    Each line is ok, a warning, or not looked at, with what to do. Exits with 1 if there is a
    warning. Forge and clusters are only read.
    """
    import os

    from generator.actions.setup import doctor
    from generator.core.errors import UserError
    from generator.promotion import forge_access

    try:
        root = common.root()
    except UserError:
        common.folder()  # a wrong -C is an error, not a folder without a repository
        root = None
    offline = offline or bool(os.environ.get("GEN_ENV_OFFLINE"))
    common.progress("asking forge and clusters")
    checks = doctor.assess(root, forge_access.forge_of, offline=offline, timeout=timeout)
    if form == "json":
        common.emit({"checks": [item.as_json() for item in checks]}, form)
    for item in checks if form == "table" else ():
        state = item.state.value
        click.secho(f"{state:<14}", fg=_COLOURS[state], bold=True, nl=False)
        click.echo(f"{item.group:<9}{item.subject}{': ' if item.subject else ''}{item.message}")
        if item.hint and item.state is not doctor.State.OK:
            click.secho(f"              → {item.hint}", fg="green")
    return 1 if any(item.state is doctor.State.WARNING for item in checks) else 0
