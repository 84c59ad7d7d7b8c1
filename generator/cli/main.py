"""The command line: a table of commands, imported when used, and the one error boundary."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from generator.cli import examples
from generator.core.errors import UserError

# Group → command → (module below generator.cli, one line of help). The table keeps `--help` quick:
# no command's module is imported before it runs.
_GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "init": ("setup.init", "Scaffold a GitOps repository."),
        "new": ("new", "Scaffold an environment, generate it and commit it on a branch."),
        "adopt": ("adopt", "Adopt an existing release without changing its objects."),
        "harden": ("harden", "Apply one hardening step to an adopted environment."),
    },
    "Write and review": {
        "generate": ("generate", "Generate the trees of environments from their definitions."),
        "validate": ("validate", "Check definitions, values and rendered objects for problems."),
        "check": ("check", "Lint plain Airflow chart values, an Application or a HelmRelease."),
        "explain": ("explain", "Show effective values and where each comes from."),
        "secrets": ("secrets", "List the secrets an environment needs and their state."),
        "seal": ("seal", "Seal values for a secret with the cluster's certificate."),
        "render": ("render", "Print the manifests that the cluster would get."),
        "diff": ("diff", "Show what a change will do to the cluster."),
    },
    "Move": {
        "upgrade": (
            "upgrade",
            "Upgrade the chart or Airflow version and list the required steps.",
        ),
        "promote": ("promote", "Promote what was verified in one environment to the next."),
        "rollback": ("rollback", "Propose a rollback of an environment to an earlier state."),
        "pause": ("pause", "Pause or resume Argo CD syncs of an environment."),
        "restore": ("recovery.restore", "Write the steps of restoring an environment's database."),
        "rehearse": ("recovery.rehearse", "Run an upgrade's migration on a copy of the database."),
        "remove": ("remove", "Remove an environment and list what its cluster needs."),
        "eject": ("eject", "Convert to plain files that do not need gen-env."),
    },
    "Cluster": {
        "status": ("status", "Show how environments stand, by git and the forge."),
        "verify": ("verify", "Verify that the cluster applied a commit and is healthy."),
        "cluster": ("setup.cluster", "Read a cluster for the catalogue in gen-env.yaml."),
        "health": ("health", "Assess the health of Kubernetes objects."),
    },
    "Tools": {
        "doctor": ("setup.doctor", "Look at machine, charts, engine, forge and clusters."),
        "chart": ("chart", "Manage the local chart archives."),
        "image": ("image.inspect", "Lock, check and pin an image of your own; say what one holds."),
        "schema": ("schema", "Print the JSON Schema of a definition or of gen-env.yaml."),
        "completion": ("completion", "Print the completion script of a shell."),
    },
}
_COMMANDS = {name: entry for group in _GROUPS.values() for name, entry in group.items()}


class _Table(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"generator.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        command.epilog = examples.epilog(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for title, commands in _GROUPS.items():
            with formatter.section(title):
                rows = [(name.ljust(width), text) for name, (_, text) in commands.items()]
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        name = args[0] if args else ""
        if name and name not in _COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, _COMMANDS, n=1)
            more = f" Did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"No such command '{name}'.{more}", ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from generator.definition.lock_file import version

        click.echo(f"gen-env {version()}")
        ctx.exit()


@click.group(
    cls=_Table,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("-C", "folder", metavar="DIR", default=".", help="Run as if started in DIR.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours in the output.",
)
@click.option("-v", "verbose", is_flag=True, help="Print more details on standard error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def _group(ctx: click.Context, folder: str, color: str, verbose: bool) -> None:
    """One small definition per Apache Airflow environment; everything Argo CD needs, in git."""
    ctx.color = {"auto": None, "always": True, "never": False}[color]
    ctx.obj = {"folder": folder, "verbose": verbose}
    if ctx.invoked_subcommand is None and not ctx.resilient_parsing:
        from generator.cli.setup import here

        here.show()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 findings, 2 usage, 3 our bug."""
    stdout = sys.stdout
    try:
        result = _group.main(args=arguments, prog_name="gen-env", standalone_mode=False)
        return int(result or 0)
    except SystemExit:
        # click leaves with 1 at a broken pipe, whatever the mode, and wraps the stream before.
        if sys.stdout is stdout or not _reader_is_gone(stdout.fileno()):
            raise
        sys.stdout = stdout
        _silence()
        return 0
    except click.UsageError as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("aborted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 1
    except UserError as error:
        _tell(error)
        return 1
    except KeyboardInterrupt:
        click.echo("interrupted; no file is partially written", err=True)
        return 130
    except BrokenPipeError:
        _silence()
        return 0
    except OSError as error:
        return _machine(error)
    except Exception as error:
        return _bug(error)


def _tell(error: UserError) -> None:
    from generator.redaction.text import redact_prose

    place = f"{error.place}: " if error.place else ""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"{place}{redact_prose(error.message)}", err=True)
    for line in redact_prose(error.hint).splitlines():
        click.echo(f"  {line}", err=True)


def _machine(error: OSError) -> int:
    """A full disk or a broken device is nobody's bug; any other refusal should have been caught."""
    import errno

    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
        return _bug(error)
    click.echo(f"error: {error.strerror}", err=True)
    return 1


def _reader_is_gone(descriptor: int) -> bool:
    """Whether it is a pipe that nothing reads any longer (poll(2), POLLERR)."""
    import select

    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _silence() -> None:
    """The reader went away: leave quietly, without a second error at shutdown."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(error: Exception) -> int:
    """Our bug: the traceback goes to a file, without local values; the screen says where."""
    import os
    import tempfile
    import traceback
    from pathlib import Path

    from generator.definition.lock_file import version

    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    text = f"gen-env {version()}, Python {sys.version}\n{frames}{type(error).__name__}\n"
    handle, name = tempfile.mkstemp(prefix="gen-env-", suffix=".log")
    os.close(handle)
    Path(name).write_text(text, encoding="utf-8")
    click.secho("internal error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"{type(error).__name__}; this is a bug in gen-env", err=True)
    click.echo(f"  please report it with {Path(name)}", err=True)
    return 3


def run() -> None:
    """Entry point of the installed command."""
    import gc

    # A short life makes few cycles: the usual thresholds cost a fifth of the time and free nothing.
    gc.set_threshold(200_000, 20, 100)
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode, and names of files that are no text, must not end in an error.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = main()
    _flush(code)


def _flush(code: int) -> None:
    """Leave; what is still to be written may find the disk full or the reader gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    except OSError as error:
        code = _machine(error)
        _silence()
    sys.exit(code)
