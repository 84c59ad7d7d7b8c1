"""`gen-env init`."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli import common
from generator.release.versions import KUBERNETES


@click.command(name="init")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--url", help="URL of the git repository, as Argo CD will read it.")
@click.option(
    "--branch", default="main", show_default=True, help="Default branch of the repository."
)
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab", "gitea", "forgejo"]),
    help="Forge of the repository (default: derived from the URL).",
)
@click.option("--cluster", default="main", show_default=True, help="Name of the first cluster.")
@click.option(
    "--server",
    default="https://kubernetes.default.svc",
    show_default=True,
    help="API server of the cluster, as registered in Argo CD.",
)
@click.option("--kubernetes-version", default=KUBERNETES, show_default=True)
@click.option("--no-commit", is_flag=True, help="Write the files without a commit.")
def command(
    path: Path,
    url: str | None,
    branch: str,
    forge: str | None,
    cluster: str,
    server: str,
    kubernetes_version: str,
    no_commit: bool,
) -> int:
    """Scaffold a GitOps repository at PATH: settings, CI check, root Application, one commit.

    Existing files are never overwritten.
    """
    from generator.actions import init
    from generator.definition import location

    options = init.Options(url, branch, forge, cluster, server, kubernetes_version)
    target = (common.folder() / path).resolve()
    written = init.init(target, options, commit=not no_commit)
    for name in written:
        click.echo(name)
    if not written:
        common.say(f"{path} is already set up")
        return 0
    inside = location.folder(target)
    if inside and not no_commit:
        common.say(
            f"this is {inside} of a larger git repository: move the CI check to that repository's"
            f" top, and let it run gen-env -C {inside}"
        )
    common.say(f"next: cd {path}, review gen-env.yaml, then: gen-env new dev")
    return 0
