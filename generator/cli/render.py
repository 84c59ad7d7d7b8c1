"""`gen-env render`."""

from __future__ import annotations

import click

from generator.cli import common, complete


@click.command(name="render")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option(
    "--only",
    type=click.Choice(["chart", "manifests"]),
    help="Only the chart's objects, or only those that gen-env adds.",
)
@common.output("yaml", "json")
@click.option("--helm", metavar="FILE", help="Render with this helm binary.")
def command(environment: str, only: str | None, form: str, helm: str | None) -> int:
    """Print the manifests that the cluster would get: those of the chart and of gen-env.

    Values of Secrets that a chart renders are masked.
    """
    from generator.core.files import WorkTree
    from generator.kube import resource
    from generator.pipeline import generate, toolchain
    from generator.redaction.manifests import mask
    from generator.yaml.manifests import canonical
    from generator.yaml.writer import dump_all

    files = WorkTree(common.root())
    built = common.built(files, environment)
    if built is None:
        return 1
    problems = list(built.problems)
    if built.release is None:
        common.tell(problems, err=True)
        return 1
    manifests = [] if only == "chart" else generate.own_manifests(built)
    if only != "manifests":
        common.progress(f"rendering {environment}")
        result = generate.render_release(
            built, toolchain.charts(files, common.root()), toolchain.lazy(files, helm), problems
        )
        if result is None:
            common.tell(problems, err=True)
            return 1
        manifests += result.manifests
    common.tell(problems, err=True)
    shown = [canonical(mask(None, manifest)[1] or {}) for manifest in resource.ordered(manifests)]
    if form == "json":
        common.emit(shown, form)
    else:
        click.echo(dump_all(shown), nl=False)
    return 0
