"""`gen-env init`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from generator.cli import common
from generator.core.errors import UserError
from generator.release.versions import KUBERNETES


@click.command(name="init")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    type=click.Choice(["argocd", "flux"]),
    help="What applies the environments (default: flux beside a flux bootstrap, else argocd).",
)
@click.option(
    "--url", help="URL of the git repository, as the engine reads it (default: that of origin)."
)
@click.option("--branch", help="Default branch (default: the repository's, main in a new one).")
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab", "gitea", "forgejo", "none"]),
    help="Forge of the repository; none writes no CI check (default: derived from the URL).",
)
@click.option(
    "--ci-install",
    metavar="WAY",
    default="index",
    show_default=True,
    help="How the CI gets gen-env: index, index:URL, wheel:FILE-OR-URL or image:NAME.",
)
@click.option("--cluster", help="Name of the first cluster (default: that of Flux, else main).")
@click.option(
    "--server",
    default="https://kubernetes.default.svc",
    show_default=True,
    help="API server of the cluster, as registered in Argo CD.",
)
@click.option(
    "--kubernetes-version",
    default=KUBERNETES,
    show_default=True,
    help="Kubernetes version of the cluster.",
)
@click.option("--no-commit", is_flag=True, help="Write the files without a commit.")
def command(
    path: Path,
    engine: str | None,
    url: str | None,
    branch: str | None,
    forge: str | None,
    ci_install: str,
    cluster: str | None,
    server: str,
    kubernetes_version: str,
    no_commit: bool,
) -> int:
    """Scaffold a GitOps repository at PATH: settings, CI check, root Application, one commit.

    Address, default branch and forge are read from the git repository that PATH is in. What it does
    not tell is asked at a terminal, and an error elsewhere. Existing files are never overwritten.
    Beside a `flux bootstrap`, cluster and folder are those of its Flux.
    """
    from generator.actions import init
    from generator.actions.setup import ci
    from generator.definition.definition import SETTINGS
    from generator.engine import flux_bootstrap

    target = (common.folder() / path).resolve()
    if (target / SETTINGS).exists():
        common.say(f"{path} is already set up")
        return 0
    install = ci.Install.parse(ci_install)
    flux = None if engine == "argocd" else flux_bootstrap.of(target, cluster)
    address = url or init.origin(target) or (flux and flux.url) or _address()
    options = init.Options(
        url=address,
        branch=branch or (flux and flux.branch) or init.branch(target),
        forge=_forge(address, forge),
        cluster=cluster or (flux.cluster if flux else "main"),
        server=server,
        kubernetes_version=kubernetes_version,
        install=install,
        engine="flux" if flux or engine == "flux" else "argocd",
        flux=flux,
    )
    made = init.init(target, options, commit=not no_commit)
    for name in made.written:
        click.echo(name)
    for note in made.notes:
        common.say(note)
    where = "" if target == common.folder() else f"cd {shlex.quote(str(path))}, "
    common.say(f"next: {where}review gen-env.yaml, then: gen-env new dev")
    return 0


def _address() -> str:
    """The address that a person types; raises UserError where nobody is there."""
    from generator.git.url import is_remote

    def checked(text: str) -> str:
        if is_remote(text.strip()):
            return text.strip()
        raise click.UsageError(f"'{text}' is not an https or ssh address of a git repository")

    if not sys.stdin.isatty():
        raise UserError(
            "the address of the git repository is not known",
            hint="give it with --url, or add the remote first: git remote add origin URL",
        )
    question = "URL of the git repository, such as https://github.com/acme/airflow-gitops.git"
    answer: str = click.prompt(question, value_proc=checked, err=True)
    return answer


def _forge(address: str, given: str | None) -> str:
    from generator.actions.init import FORGES, forge_of

    if given is not None:
        return "" if given == "none" else given
    try:
        return forge_of(address)
    except UserError as error:
        if not sys.stdin.isatty():
            hint = "give it with --forge (github, gitlab, gitea, forgejo or none)"
            raise UserError(error.message, hint=hint) from None
    choice = click.Choice([*FORGES, "none"])
    answer: str = click.prompt("forge of that address", type=choice, err=True)
    return "" if answer == "none" else answer
