"""`gen-env status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli import common, complete, pull_requests

if TYPE_CHECKING:
    from generator.promotion.status import Status


@click.command(name="status")
@click.argument("environments", nargs=-1, metavar="[ENV]...", shell_complete=complete.environments)
@common.output("table", "json", "yaml")
def command(environments: tuple[str, ...], form: str) -> int:
    """Show how environments stand on the default branch, by git and the forge.

    Versions, the commit that brought the present state, whether and since when it is verified, and
    the open pull requests of gen-env that wait for somebody. No cluster is asked.
    """
    from generator.promotion import status

    base_branch, tools, _ = pull_requests.start(pull=False, dry_run=True)
    found = status.statuses(base_branch, environments, tools)
    if form != "table":
        common.emit([item.as_json() for item in found], form)
        return 0
    heads = ("ENVIRONMENT", "AIRFLOW", "CHART", "COMMIT", "VERIFIED", "WAITING")
    common.columns([_row(item) for item in found], heads)
    for line in dict.fromkeys(str(entry) for item in found for entry in item.not_read):
        common.say(f"not read: {line}")
    return 0


def _row(item: Status) -> tuple[str, ...]:
    from generator.promotion.evidence import Standing
    from generator.promotion.gates import shown_time

    found = item.evidence
    since = f" since {shown_time(found.since)}" if found.since else ""
    waiting = (
        [Standing.UNREADABLE.value]
        if item.waiting is None
        else [f"#{pull.number} {pull.title}" for pull in item.waiting]
    )
    return (
        item.environment,
        item.airflow,
        item.chart,
        item.commit[:12],
        f"{found.standing.value}{since}",
        "; ".join([*(["paused"] if item.paused else []), *waiting]) or "-",
    )
