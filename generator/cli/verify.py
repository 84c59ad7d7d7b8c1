"""`gen-env verify`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from generator.cli import common, complete, pull_requests

if TYPE_CHECKING:
    from generator.manifests.rbac import Rule
    from generator.verify.result import Verdict


@click.command(name="verify")
@click.argument("environment", metavar="ENV", shell_complete=complete.environments)
@click.option(
    "--revision", metavar="SHA", help="Commit to verify (default: tip of the default branch)."
)
@click.option(
    "--timeout",
    type=float,
    default=900.0,
    show_default=True,
    metavar="S",
    help="Timeout in seconds.",
)
@click.option("--watch", "follow", is_flag=True, help="Print changes while waiting.")
@click.option("--print-role", is_flag=True, help="Print the roles that verification requires.")
@click.option(
    "--record", is_flag=True, help="Record the verdict on the forge, as evidence for promotions."
)
@common.output("table", "json", "yaml")
def command(
    environment: str,
    revision: str | None,
    timeout: float,
    follow: bool,
    print_role: bool,
    record: bool,
    form: str,
) -> int:
    """Verify that the cluster applied a commit of ENV and is healthy, or report why not.

    Exits with 0 only for the verdict `verified`.
    """
    from generator.actions import verify

    # Before anything is waited for: a verdict that cannot be recorded is not what was asked.
    forge = pull_requests.forge(common.root()) if record else None
    found = verify.subject(common.root(), verify.Options(environment, revision, timeout))
    if print_role:
        return _print_roles(found.rules)
    verdict = verify.verify(found, timeout, _say if follow else None)
    data = verdict.as_json()
    if form != "table":
        common.emit(data, form)
    else:
        _table(data, verdict.basis.line)
    if forge is not None:
        from generator.promotion.evidence import record_verification

        for line in record_verification(forge, verdict):
            common.say(line)
    return 0 if data["verdict"] == "verified" else 1


def _print_roles(rules: Sequence[Rule]) -> int:
    from generator.manifests import rbac
    from generator.yaml.writer import dump_all

    click.echo(dump_all(rbac.role_manifests(rules, rbac.GEN_ENV)), nl=False)
    return 0


def _say(verdict: Verdict) -> None:
    from generator.verify.result import State

    waiting = [item.name for item in verdict.conditions if item.state is State.WAITING]
    common.say(f"{verdict.outcome.value}: waiting for {', '.join(waiting) or 'nothing'}")


def _table(data: Mapping[str, Any], line: str) -> None:
    colour = "green" if data["verdict"] == "verified" else "red"
    click.secho(
        f"{data['environment']} at {data['revision'][:12]}: {data['verdict']}", fg=colour, bold=True
    )
    click.echo(line)
    if data.get("message"):
        click.echo(data["message"])
    for item in data["basis"]["notRead"]:
        click.echo(f"  not read {item['what']} in {item['where']}: {item['reason']}")
    for item in data["conditions"]:
        click.echo(f"  {item['status']:<8} {item['name']}: {item['message']}")
    for cause in data["diagnosis"]:
        click.echo(f"  cause: {cause['message']}")
        for line in cause["log"]:
            click.echo(f"    | {line}")
