"""`gen-env promote`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from generator.cli import common, complete, pull_requests
from generator.core.counted import counted

if TYPE_CHECKING:
    from generator.promotion.gates import Gate
    from generator.promotion.promote import Promotion

_COLOURS = {"passed": "green", "waiting": "yellow", "blocked": "red"}


@click.command(name="promote")
@click.argument("source", metavar="FROM", shell_complete=complete.environments)
@click.argument("target", metavar="TO", shell_complete=complete.environments)
@click.option("--pr", "pull", is_flag=True, help="Push, and open or update the pull request.")
@click.option("--force", metavar="REASON", help="Override blocked gates; the reason is recorded.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@common.output("table", "markdown", "json")
def command(
    source: str, target: str, pull: bool, force: str | None, dry_run: bool, form: str
) -> int:
    """Promote what was verified in FROM to TO: a commit on branch promote/TO-<hash>.

    Both are taken from the default branch as it is at the remote. Work tree, index and the branch
    that is checked out stay as they are.
    """
    from generator.promotion import promote

    base_branch, tools, now = pull_requests.start(pull=pull, dry_run=dry_run)
    options = promote.Options(source, target, force)
    common.progress(
        f"promoting {source} to {target} on {base_branch.branch} at {base_branch.base[:12]}"
    )
    found = promote.prepare(base_branch, options, tools, now)
    if found.empty:
        where = f"on {base_branch.branch} at {base_branch.base[:12]}"
        common.say(f"nothing to promote {where}: {found.nothing}")
        if form == "json":
            common.emit(_json(found), form)
        else:
            _left(found)
        return 0
    _show(found, form, lambda: promote.render(found, tools, now))
    stopped = pull_requests.stopped_by(found.regenerated.problems)
    for gate in found.blocked:
        common.say(f"blocked by gate {gate.name}: {gate.reason}")
        stopped = True
    if stopped or dry_run:
        common.say("nothing was written")
        return 1 if stopped else 0
    done = promote.publish_it(found, tools, now, pull=pull)
    pull_requests.tell(done, base_branch.branch, form)
    common.say(str(found.ready or "do not merge yet: see the gates above"))
    return 0


def _show(found: Promotion, form: str, rendered: Any) -> None:
    if form == "markdown":
        click.echo(rendered(), nl=False)
    elif form == "json":
        common.emit(_json(found), form)
    else:
        rows = [(move.field, move.old_text, move.new_text) for move in found.choice.moves]
        common.columns(rows, ("moves", "from", "to"))
        click.echo(found.basis.line)
        for item in found.basis.not_read:
            click.echo(f"  - not read: {item}")
        for line in (*found.choice.remarks, *found.notes):
            click.echo(f"  - {line}")
        for line in found.choice.stays:
            click.echo(f"  - not moved: {line}")
        _gates(found.gates)
        _left(found)


def _left(found: Promotion) -> None:
    if found.drift:
        click.echo(f"not promoted: {counted(len(found.drift), 'other field')} with differences")


def _gates(gates: Iterable[Gate]) -> None:
    from generator.promotion.gates import shown_time

    for gate in gates:
        until = f", until {shown_time(gate.until)}" if gate.until else ""
        click.secho(f"{gate.state.value:<8}", fg=_COLOURS[gate.state.value], nl=False)
        click.echo(f" {gate.name}: {gate.reason}{until}")


def _json(found: Promotion) -> dict[str, Any]:
    evidence = found.evidence
    return {
        "from": found.options.source,
        "to": found.options.target,
        "base": found.base_branch.base,
        "branch": found.branch,
        "moves": [
            {"field": move.field, "old": move.old_text, "new": move.new_text}
            for move in found.choice.moves
        ],
        "notMoved": list(found.choice.stays),
        "notPromoted": [{"field": item.field, "where": item.where} for item in found.drift],
        "evidence": {
            "standing": evidence.standing.value,
            "revision": evidence.revision,
            "since": evidence.since.isoformat() if evidence.since else None,
            "by": evidence.by,
            "reason": evidence.reason,
        },
        "gates": [
            {
                "name": gate.name,
                "state": gate.state.value,
                "reason": gate.reason,
                "until": gate.until.isoformat() if gate.until else None,
            }
            for gate in found.gates
        ],
        "forced": found.options.force,
        "basis": found.basis.as_json(),
    }
