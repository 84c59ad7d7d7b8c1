"""The command `gen-env-service`."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.core.errors import UserError
from generator.redaction.text import redact_prose
from service.cli import tokens
from service.cli.tokens import CONFIG
from service.settings import resolve

if TYPE_CHECKING:
    from service.settings.schema import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gen-env", message="gen-env-service %(version)s")
def main() -> None:
    """Check every pull request of your Airflow environments, and keep the reports."""


def _command(function: Callable[..., int]) -> click.Command:
    """A command with --config, whose result is the exit code."""

    @functools.wraps(function)
    def wrapper(config: Path | None, **arguments: Any) -> None:
        sys.exit(function(config, **arguments))

    return main.command()(CONFIG(wrapper))


@_command
def serve(config: Path | None) -> int:
    """Run a web and a worker process on this host and restart them when they end."""
    from service.cli.supervisor import Supervisor

    settings = _prepared(config)
    return Supervisor(settings, (config or Path(os.environ[resolve.CONFIG])).absolute()).run()


def web(config: Path | None, processes: int) -> int:
    """Take deliveries in and show reports."""
    from service.web import process

    return process.run(_prepared(config), processes=processes)


_command(click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)(web))


@_command
def worker(config: Path | None) -> int:
    """Run the jobs that the web process queued."""
    from service.worker import process

    return process.run(_prepared(config))


@_command
def migrate(config: Path | None) -> int:
    """Bring the database up to date; the others do so as well when they start."""
    _prepared(config)
    return 0


@_command
def doctor(config: Path | None) -> int:
    """Check that everything is set up, and report what is missing."""
    from service.cli.doctor import assess

    failed = False
    for finding in assess(resolve.load(config, os.environ)):
        failed = failed or bool(finding.problem)
        state, said = ("FAIL", f": {finding.problem}") if finding.problem else ("ok", "")
        click.echo(f"{state:5}{finding.subject}{said}")
        if finding.hint:
            click.echo(f"     {finding.hint}")
    return 1 if failed else 0


main.add_command(tokens.token)


@main.command("github-app-manifest")
@click.argument("public_url")
@click.option("--connection", default="github", show_default=True, help="Its name in settings.")
@click.option("--name", default="gen-env", show_default=True, help="Of the App; unique on GitHub.")
@click.option("--form", is_flag=True, help="A page for a browser, with a button that creates it.")
@click.option("--organization", default="", help="Who shall own it; by default the user.")
@click.option("--forge", default="https://github.com", show_default=True, help="GitHub's address.")
def github_app_manifest(
    public_url: str, connection: str, name: str, form: bool, organization: str, forge: str
) -> None:
    """Print the manifest of a GitHub App with the rights and events that the service needs."""
    from service.cli import github_app

    found = github_app.manifest(public_url, connection, name)
    click.echo(github_app.page(found, forge, organization) if form else json.dumps(found, indent=2))


@main.command()
@click.option("--once", is_flag=True, help="End when every check has its verdict.")
def demo(once: bool) -> None:
    """Show the service: a small forge, three environments and three pull requests, on this host.

    Needs git and the chart 1.22.0 (`gen-env chart pull 1.22.0`). Everything is in a temporary
    folder, on loopback, and gone at the end.
    """
    from service.demo.run import run as show

    sys.exit(show(once=once))


def _prepared(config: Path | None) -> Settings:
    """The settings, after logs and database were made ready for them."""
    from service.cli.migrate import prepare
    from service.telemetry import logs, tracing

    tracing.require(os.environ)
    settings = resolve.load(config, os.environ)
    logs.configure(settings.secrets)
    prepare(settings)
    return settings


def run() -> None:
    """Entry point: what is the user's to mend ends with 1 and three lines, not a traceback."""
    try:
        main(standalone_mode=True)
    except UserError as error:
        place = f"{error.place}: " if error.place else ""
        click.echo(f"error: {place}{redact_prose(error.message)}", err=True)
        if error.hint:
            click.echo(f"hint: {redact_prose(error.hint)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
