"""`gen-env diff`."""

from __future__ import annotations

import click

from generator.cli import common, complete
from generator.core.problem import Severity
from generator.report.budget import SMALLEST


@click.command(name="diff")
@click.argument("base", required=False)
@click.argument("head", required=False)
@click.option(
    "--env",
    "environments",
    multiple=True,
    metavar="ENV",
    shell_complete=complete.environments,
    help="Only this one.",
)
@click.option(
    "--file",
    "file",
    metavar="PATH",
    help="Compare a plain Application, HelmRelease or values file instead of environments.",
)
@click.option("--live", is_flag=True, help="Also show how the cluster differs from the base.")
@common.output("table", "markdown", "html", "json")
@click.option(
    "--budget",
    type=click.IntRange(min=SMALLEST),
    default=60_000,
    show_default=True,
    help="Maximum length of a Markdown report, in characters (and bytes).",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there are changes.")
@click.option(
    "--strict",
    is_flag=True,
    help="Also validate both sides; exit with 1 for new errors and severe impacts.",
)
@click.option(
    "--accept",
    "accept",
    multiple=True,
    metavar="RULE",
    shell_complete=complete.accepted_rules,
    help="With --strict: rule of an impact to accept; take it from a protected variable or label.",
)
@click.option("--helm", metavar="FILE", help="Render with this helm binary.")
def command(
    base: str | None,
    head: str | None,
    environments: tuple[str, ...],
    file: str | None,
    live: bool,
    form: str,
    budget: int,
    exit_code: bool,
    strict: bool,
    accept: tuple[str, ...],
    helm: str | None,
) -> int:
    """Show what a change will do to the cluster.

    Without BASE and HEAD: the default branch's merge base against the work tree, uncommitted
    changes included. Nothing is checked out and no cluster is queried (except with --live).

    HEAD is compared as `gen-env generate` would leave it: an edited definition counts at once; a
    generated file that differs is a finding (tree/...), not a change.
    """
    from generator.actions import diff

    if accept:
        _require_acceptable(accept, strict=strict)
    request = diff.Request(
        folder=common.root() if file is None else common.folder(),
        base=base,
        head=head,
        environments=environments,
        file=file,
        live=live,
        strict=strict,
        accept=accept,
        helm=helm,
    )
    with common.bar("rendering") as progress:
        report = diff.compare(request, progress)
    click.echo(diff.formatted(report, form, budget, color=_coloured()), nl=False)
    changed = any(item.changes for item in report.environments)
    broken = any(not item.rendered for item in report.environments)
    findings = [finding for _, finding in report.every_finding if finding.acceptance not in accept]
    # What is applied although no definition gives it is nothing that this comparison has shown.
    broken = broken or any(problem.fails for problem in report.every_problem)
    grave = any(item.severity is Severity.ERROR for item in findings)
    return 1 if broken or (exit_code and changed) or (strict and grave) else 0


def _require_acceptable(rules: tuple[str, ...], *, strict: bool) -> None:
    from generator.actions import change_findings
    from generator.core.errors import UserError

    if not strict:
        raise click.UsageError("--accept requires --strict")
    try:
        change_findings.require_acceptable(rules)
    except UserError as error:
        raise click.UsageError(f"{error.message}; {error.hint}") from None


def _coloured() -> bool:
    import sys

    chosen = click.get_current_context().color
    return sys.stdout.isatty() if chosen is None else chosen
