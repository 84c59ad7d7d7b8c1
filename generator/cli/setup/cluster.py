"""`gen-env cluster`."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli import common


@click.group(name="cluster")
def command() -> None:
    """Look at a cluster, for the catalogue in gen-env.yaml."""


@command.command(name="inspect")
@click.argument("context")
@click.option("--name", help="Name in the catalogue (default: by CONTEXT).")
@click.option("--write", is_flag=True, help="Add what gen-env.yaml lacks; what differs stays.")
@common.output("yaml", "json")
def inspect(context: str, name: str | None, write: bool, form: str) -> int:
    """Print the catalogue entry of the cluster behind CONTEXT of the kubeconfig.

    Version, cloud, nodes, API groups, addresses of the API server, storage classes with access
    modes, ingress, Prometheus operator, KEDA and sealed-secrets. Only reads; what the identity may
    not read is listed.
    """
    from generator.actions.setup import cluster_inspect
    from generator.cluster import Cluster
    from generator.core.errors import UserError
    from generator.definition.definition import SETTINGS

    cluster = Cluster.connect(context)
    try:
        common.progress(f"reading {cluster.name}")
        found = cluster_inspect.inspect(cluster, cluster.server())
    finally:
        cluster.close()
    called = name or cluster_inspect.name_of(context)
    if form == "json":
        common.emit({"name": called, **found.as_json()}, form)
    else:
        common.emit({"clusters": {called: dict(found.entry)}}, form)
    for note in found.notes:
        common.say(f"note: {note}")
    for item in found.not_read:
        common.say(f"not read: {item}")
    if not write:
        return 0
    root = common.root()
    path = root / SETTINGS
    try:
        before = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read: {error}", path=SETTINGS) from None
    text, differing = cluster_inspect.merged(before, called, found.entry, SETTINGS)
    for key in differing:
        common.say(f"{SETTINGS} says otherwise of {called}.{key}; it stays")
    if text == before:
        common.say(f"{SETTINGS} lacks nothing of it")
        return 0
    _store(root, text)
    common.say(f"wrote {SETTINGS}")
    return 0


def _store(root: Path, text: str) -> None:
    """Write gen-env.yaml; raises UserError, and writes nothing, where it would be invalid."""
    from generator.core.errors import UserError
    from generator.definition.definition import SETTINGS, load_settings
    from generator.tree import writer
    from generator.tree.plan import Plan

    problems = load_settings(text.encode())[1]
    if problems:
        raise UserError.of(problems[0])
    writer.apply(root, Plan({SETTINGS: text}))
