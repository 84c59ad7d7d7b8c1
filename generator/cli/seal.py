"""`gen-env seal`."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common, complete
from generator.redaction.secret import Secret

if TYPE_CHECKING:
    from generator.seal.certificate import SealingCertificate


@click.command(name="seal")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.argument("secret", required=False, shell_complete=complete.secrets)
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--from-file", "files", multiple=True, metavar="KEY=PATH", help="Read a value from a file."
)
@click.option(
    "--from-env-file",
    "env_file",
    type=click.Path(path_type=Path),
    help="Read values from KEY=VALUE lines.",
)
@click.option(
    "--stdin", "stdin_key", metavar="KEY", help="Read the value of KEY from standard input."
)
@click.option(
    "--generate",
    is_flag=True,
    help="Generate random values where possible; they are never printed.",
)
@click.option("--replace", is_flag=True, help="With --generate and SECRET: replace what is sealed.")
@click.option("--user", help="Build connections from this user and a prompted password.")
@click.option(
    "--ssh-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Build the connection of a DAG repository from this private key.",
)
@click.option(
    "--rotate-fernet", "rotate", is_flag=True, help="Take the next step of the Fernet key rotation."
)
@click.option(
    "--reencrypted",
    is_flag=True,
    help="With --rotate-fernet: confirm that airflow rotate-fernet-key succeeded.",
)
@click.option(
    "--cert",
    "certificate",
    metavar="FILE|URL|cluster",
    help="Certificate of the controller (default: the one in gen-env.yaml).",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificate authorities to trust for the certificate's URL.",
)
@click.option(
    "--fetch-cert",
    "fetch",
    is_flag=True,
    help="Fetch the certificate from the cluster into the file that gen-env.yaml names.",
)
def command(
    environment: str,
    secret: str | None,
    values: tuple[str, ...],
    files: tuple[str, ...],
    env_file: Path | None,
    stdin_key: str | None,
    generate: bool,
    replace: bool,
    user: str | None,
    ssh_key: Path | None,
    rotate: bool,
    reencrypted: bool,
    certificate: str | None,
    ca: Path | None,
    fetch: bool,
) -> int:
    """Seal values for SECRET of ENV with the cluster's public certificate, offline.

    Without values gen-env prompts for them, without echo. Without SECRET, --generate seals
    everything that can be random, and --user everything that follows from the database's password.
    Values on the command line stay in your shell's history: prefer a prompt or a file.
    """
    from generator.actions import seal
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.seal import sources
    from generator.tree import writer

    if replace and not (generate and secret):
        raise click.UsageError("--replace goes with --generate and SECRET")
    root, folder = common.root(), common.folder()
    now = datetime.datetime.now(datetime.UTC)
    if fetch:
        return _fetch(root, environment, now)
    given = _given(values, files, env_file, stdin_key)
    options = seal.Options(
        environment=environment,
        secret=secret,
        given=given,
        generate=generate,
        user=user,
        certificate=certificate,
        rotate=rotate,
        reencrypted=reencrypted,
        folder=folder,
        ca=folder / ca if ca else None,
        replace=replace,
        ssh_key=sources.from_file(folder / ssh_key) if ssh_key else None,
    )
    charts = toolchain.charts(WorkTree(root), root)
    sealed = seal.prepare(root, options, charts, _asked(piped=user is not None or rotate), now)
    if not sealed.keys:
        common.say("nothing left to seal")
        return 0
    writer.apply(root, sealed.plan)
    for name, keys in sealed.keys.items():
        click.echo(f"sealed {name}: {', '.join(keys)}")
    for path in sealed.plan.paths:
        common.say(path)
    if sealed.certificate is not None:
        common.say(f"with the certificate {_shown(sealed.certificate)}")
    if sealed.next:
        click.echo(sealed.next, nl=False)
    return 0


def _fetch(root: Path, environment: str, now: datetime.datetime) -> int:
    """Renew the certificate's file: what it was, and what it is now."""
    from generator.actions import seal
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.tree import writer

    fetched = seal.fetch(root, environment, toolchain.charts(WorkTree(root), root), now)
    writer.apply(root, fetched.plan)
    for path in fetched.plan.paths:
        click.echo(path)
    common.say(f"the certificate {_shown(fetched.certificate)}")
    if fetched.before == fetched.certificate.fingerprint:
        common.say("the same key as before")
    elif fetched.before is not None:
        common.say(
            f"the key has changed (before: {fetched.before}); values sealed with the old "
            f"key can still be unsealed"
        )
    return 0


def _shown(certificate: SealingCertificate) -> str:
    until = f"valid until {certificate.not_after:%Y-%m-%d}"
    return f"{certificate.fingerprint} ({certificate.source}, {until})"


def _given(
    values: tuple[str, ...], files: tuple[str, ...], env_file: Path | None, stdin_key: str | None
) -> dict[str, Secret]:
    from generator.seal import envfile, sources

    found = dict(sources.from_assignment(text) for text in values)
    for key, path in common.pairs(files).items():
        found[key] = sources.from_file(common.folder() / path)
    if env_file is not None:
        found |= envfile.read(common.folder() / env_file)
    if stdin_key is not None:
        found[stdin_key] = sources.from_stream(sys.stdin.buffer)
    return found


def _asked(*, piped: bool) -> Callable[[str], Secret]:
    """A prompt without echo; a single password may come by a pipe."""
    from generator.seal import sources

    def ask(key: str) -> Secret:
        if piped and not sys.stdin.isatty():
            return sources.from_stream(sys.stdin.buffer)
        return sources.from_prompt(key)

    return ask
