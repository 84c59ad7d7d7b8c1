"""`gen-env schema`."""

from __future__ import annotations

import click

from generator.cli import common


@click.command(name="schema")
@click.argument("kind", type=click.Choice(["environment", "repository"]), default="environment")
def command(kind: str) -> int:
    """Print the JSON Schema of environment.yaml, or of gen-env.yaml (repository).

    Editors with the YAML language server use it through the first line of the files.
    """
    from generator.model import json_schema

    common.emit(json_schema.schema(kind), "json")
    return 0
