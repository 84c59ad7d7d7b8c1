"""`gen-env check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from generator.cli import common, complete
from generator.core.counted import counted


@click.command(name="check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--chart",
    metavar="VERSION",
    shell_complete=complete.charts,
    help="Chart version, if the file does not set one.",
)
@click.option(
    "--kubernetes-version", metavar="VERSION", help="Kubernetes version to render and check for."
)
@click.option(
    "--tier",
    type=click.Choice(["development", "staging", "production"]),
    help="Tier whose rules apply.",
)
@click.option(
    "--together", is_flag=True, help="Treat the files as layers of one release; the last one wins."
)
@common.output("table", "json", "yaml")
@click.option("--helm", metavar="FILE", help="Render with this helm binary.")
def command(
    files: tuple[str, ...],
    chart: str | None,
    kubernetes_version: str | None,
    tier: str | None,
    together: bool,
    form: str,
    helm: str | None,
) -> int:
    """Lint plain values of the Airflow chart, an Argo CD Application or a Flux HelmRelease.

    The release does not have to be adopted. Reports all problems at once, with file, line and what
    to do.
    """
    import os

    from generator.actions import check, plain_release
    from generator.core import basis
    from generator.core.basis import NotRead, Origin
    from generator.core.files import WorkTree
    from generator.core.problem import has_errors
    from generator.git.clone import Clone
    from generator.lint.objects import crd_schema
    from generator.pipeline import toolchain
    from generator.release.versions import KUBERNETES

    folder = common.folder()
    work = WorkTree(folder)
    settings = toolchain.settings(work)
    plain = plain_release.PlainReleases(
        toolchain.charts(work, folder),
        toolchain.lazy(work, helm),
        chart,
        kubernetes_version,
        settings.chart.url if settings else "",
    )
    crds = os.environ.get("GEN_ENV_CRDS")
    around = check.Circumstances(
        tier=tier or "",
        kube_version=kubernetes_version or KUBERNETES,
        kube_origin=Origin.OPTION if kubernetes_version else Origin.ASSUMED,
        crds=crd_schema.load_definitions(Path(crds)) if crds else None,
        version_of=plain.version,
        not_read=plain.not_read,
    )
    places = [_place(folder, name) for name in files]
    top = _top(folder, places)
    names = [place.relative_to(top).as_posix() for place in places]
    result = check.check(
        WorkTree(top),
        names,
        chart_for=plain.facts,
        render=plain.render,
        circumstances=around,
        together=together,
        clone=Clone.of(top),
    )
    if form != "table":
        common.emit(result.as_json(), form)
    else:
        for release in result.releases:
            click.echo(f"{release.path} ({release.name}): {release.basis.line}")
            if release.basis.chart.origin is Origin.ASSUMED:
                click.echo(
                    "        → no file sets the chart version: judged as "
                    f"{release.basis.chart.version}; give --chart VERSION"
                )
        common.tell(result.problems, named=True)
        for undone in result.not_done:
            click.secho("not done ", fg="magenta", bold=True, nl=False)
            click.echo(
                f"{undone.check}: {undone.reason}" + (f"; {undone.hint}" if undone.hint else "")
            )
        unread = [NotRead(item.check, "", item.reason) for item in result.not_done]
        judged = basis.together(item.basis for item in result.releases).without(unread)
        rest = f", {counted(len(unread), 'check')} not done" if unread else ""
        common.say(
            f"{counted(len(result.checked), 'file')} checked: "
            f"{common.outcome(result.problems, judged)}{rest}"
        )
    return 1 if has_errors(result.problems) else 0


def _place(folder: Path, name: str) -> Path:
    """The file, wherever on the disk it is."""
    from generator.core.errors import UserError

    place = (folder / name).resolve()
    if place.is_dir():
        hint = "give a values file, an Application or a HelmRelease"
        if (place / "values.yaml").is_file():
            hint = f"run: gen-env check {Path(name) / 'values.yaml'}"
        raise UserError("this is a folder", path=name, hint=hint)
    if not place.is_file():
        raise UserError("file not found", path=name)
    return place


def _top(folder: Path, places: Sequence[Path]) -> Path:
    """The folder that all are read from: this one, else their git repository, else their own."""
    from generator.core.errors import UserError
    from generator.git.worktree import Worktree

    if all(place.is_relative_to(folder) for place in places):
        return folder
    try:
        top = Worktree.find(places[0].parent).root.resolve()
    except UserError:
        top = places[0].parent
    if not all(place.is_relative_to(top) for place in places):
        raise UserError(
            f"the files are neither all in {folder} nor all in {top}",
            hint="check the files of one repository or folder at a time",
        )
    return top
