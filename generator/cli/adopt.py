"""`gen-env adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli import common, complete
from generator.core.counted import counted

if TYPE_CHECKING:
    from generator.adoption.adopt import Takeover

_SHOWN = 20


@click.command(name="adopt")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--name", required=True, help="Name of the environment; TEAM/NAME with a team.")
@click.option("--cluster", help="Cluster in gen-env.yaml.")
@click.option("--tier", type=click.Choice(["development", "staging", "production"]))
@click.option(
    "--chart",
    metavar="VERSION",
    shell_complete=complete.charts,
    help="Chart version, if the files do not set one.",
)
@click.option("--release", metavar="NAME", help="Helm release, if the files do not set one.")
@click.option("--namespace", metavar="NAME", help="Namespace, if the files do not set one.")
@click.option("--set", "fields", multiple=True, metavar="KEY=VALUE", help="Set a field.")
@click.option(
    "--secrets-elsewhere",
    is_flag=True,
    help="The secrets in the values already exist as Secrets with the chart's default names.",
)
@common.output("yaml", "json")
@click.option("--write", is_flag=True, help="Write the definition and its tree.")
@click.option("--helm", metavar="FILE", help="Render with this helm binary.")
def command(
    files: tuple[Path, ...],
    name: str,
    cluster: str | None,
    tier: str | None,
    chart: str | None,
    release: str | None,
    namespace: str | None,
    fields: tuple[str, ...],
    secrets_elsewhere: bool,
    form: str,
    write: bool,
    helm: str | None,
) -> int:
    """Adopt a release from its values, an Argo CD Application or a Flux HelmRelease.

    FILE is a values file (several: the last wins), the output of `helm get values`, or one
    Application or HelmRelease, with the values files it takes from elsewhere after it. The
    definition goes to standard output. Both sides are rendered, and any difference is an error.
    """
    from generator.adoption import adopt, verdict
    from generator.adoption.request import Options
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain
    from generator.tree import writer

    root, here = common.root(), common.folder()
    work = WorkTree(root)
    given = adopt.parsed_fields(common.pairs(fields))
    options = Options(name, cluster, tier, chart, release, namespace, given, secrets_elsewhere)
    common.progress("rendering both sides")
    try:
        found = adopt.prepare(
            root,
            [here / path for path in files],
            options,
            toolchain.charts(work, root),
            toolchain.lazy(work, helm),
            verdict.engine(helm),
        )
    except adopt.Refused as error:
        common.tell(error.problems, err=True)
        common.say("not adopted: nothing was written")
        return 1
    _show(found, form)
    if not found.acceptable:
        common.say("not adopted: nothing was written")
        return 1
    if write:
        writer.apply(root, found.plan)
        common.say(
            f"{counted(len(found.plan.paths), 'file')} written, "
            f"environments/{name}/environment.yaml first"
        )
    return 0


def _show(found: Takeover, form: str) -> None:
    from generator.adoption import handover

    if form == "json":
        common.emit(_data(found), form)
    else:
        click.echo(found.text, nl=False)
    common.tell((*found.problems, *found.left_out, *found.deprecated), err=True)
    for change in found.proof.comparison.changes:
        common.say(f"{change.action.value} {change.key}\n{change.diff}")
    for folded in found.proof.comparison.folded:
        common.say(f"differs in {folded.field}: {', '.join(map(str, folded.resources))}")
    for line in _verdict(found):
        common.say(line)
    for line in _summary(found):
        common.say(line)
    if found.acceptable:
        common.say("Steps to hand the release over:")
        for number, step in enumerate(handover.steps(found), start=1):
            common.say(f"  {number}. {step}")


def _summary(found: Takeover) -> list[str]:
    proof = found.proof
    lines = []
    if found.left_out:
        lines.append(
            f"left out: {counted(len(found.left_out), 'key')} that the chart does not read"
        )
    if proof.random:
        lines.append(f"random on every render, as before: {', '.join(proof.random)}")
    if proof.gone:
        lines.append(f"no longer rendered, so they must exist: Secret {', '.join(proof.gone)}")
    if proof.restarts:
        lines.append(f"restarts once, for its Secret's checksum: {', '.join(proof.restarts)}")
    assurance = found.verdict.assurance if proof.equal else None
    verdict = {"differs": "the objects differ"}.get(found.verdict.verdict, "not proven")
    if not proof.equal:
        verdict = "the objects differ"
    judged = f"rendered by {found.verdict.engine}, {found.verdict.basis.line}"
    return [
        *lines,
        judged,
        f"{found.name}: {assurance or verdict}; {counted(len(found.left_over), 'value')} without "
        f"a field",
    ]


def _verdict(found: Takeover) -> list[str]:
    """What the second reading compared and could not compare."""
    verdict = found.verdict
    lines = [f"not proven: {item}" for item in verdict.basis.not_read]
    if found.proof.equal:
        lines += [f"differs in {item}" for item in verdict.differences[:_SHOWN]]
        more = len(verdict.differences) - _SHOWN
        lines += (
            [f"differs in {counted(more, 'more field')} (-o json lists all)"] if more > 0 else []
        )
    kind = "HelmRelease" if found.engine == "flux" else "Application"
    return [*lines, *(f"the {kind} changes: {item}" for item in verdict.settings)]


def _data(found: Takeover) -> dict[str, Any]:
    from generator.adoption import handover

    proof = found.proof
    return {
        "environment": found.name,
        "basis": found.verdict.basis.as_json(),
        "definition": found.text,
        "equal": proof.equal and found.verdict.assurance is not None,
        "proof": found.verdict.as_json(),
        "changes": [
            {"action": item.action.value, "resource": str(item.key), "diff": item.diff}
            for item in proof.comparison.changes
        ],
        "random": list(proof.random),
        "secretsNoLongerRendered": list(proof.gone),
        "restarts": list(proof.restarts),
        "leftOut": [item.as_json() for item in found.left_out],
        "deprecated": [item.as_json() for item in found.deprecated],
        "values": list(found.left_over),
        "problems": [item.as_json() for item in found.problems],
        "handOver": list(handover.steps(found)),
    }
