"""`gen-env health`."""

from __future__ import annotations

import sys

import click

from generator.cli import common

_COLOURS = {"Healthy": "green", "Progressing": "cyan", "Suspended": "blue", "Degraded": "red"}


@click.command(name="health")
@click.option(
    "-f",
    "--file",
    "file",
    required=True,
    metavar="FILE|-",
    help="Objects as YAML or JSON, such as kubectl get -o yaml prints them.",
)
@common.output("table", "json", "yaml")
def command(file: str, form: str) -> int:
    """Assess the health of Kubernetes objects, each with a reason; no cluster is queried.

    Exits with 1 when an object is Degraded or Missing.
    """
    import datetime

    from generator import health
    from generator.core.errors import UserError
    from generator.health.assessment import as_json
    from generator.yaml.manifests import load_manifests

    try:
        text = sys.stdin.buffer.read() if file == "-" else (common.folder() / file).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", path=file) from None
    manifests = load_manifests(text, path="standard input" if file == "-" else file)
    judged = health.assess_all(manifests, now=datetime.datetime.now(datetime.UTC))
    if form != "table":
        common.emit(as_json(judged), form)
    for key, _, found in judged if form == "table" else ():
        click.secho(f"{found.status.value:<12}", fg=_COLOURS.get(found.status.value), nl=False)
        click.echo(f"{key}" + (f": {found.message}" if found.message else ""))
    bad = any(found.status.value in ("Degraded", "Missing") for _, _, found in judged)
    return 1 if bad else 0
