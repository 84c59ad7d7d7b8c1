"""Whether a pull request may merge now, as far as promotion goes: the status `gen-env/gates`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from generator.core.errors import UserError
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import CheckState, PullRequest, PullState
from generator.git.worktree import Store
from generator.promotion import evidence, gates, history, recheck
from generator.promotion.base_branch import BaseBranch, at_commit
from generator.promotion.evidence import Evidence
from generator.promotion.gates import Gate, shown_time
from generator.promotion.gates import State as GateState
from generator.promotion.recheck import Proposed
from generator.redaction.text import redact_prose
from service.check.mirror import Pinned, pinned
from service.check.prepare import Prepared, prepare
from service.check.reporter import Superseded
from service.follow_up.task import Done, Task, neutral, superseded
from service.model.job import Override, State
from service.store.reminders import Reminder
from service.store.runs import Outcome

CONTEXT = "gen-env/gates"
"""The name of our status on a head."""

_DECISIVE = ("order", "promotion-only", "current")
_STATES = {
    CheckState.SUCCESS: State.SUCCESS,
    CheckState.PENDING: State.NEUTRAL,
    CheckState.FAILURE: State.FAILURE,
    CheckState.ERROR: State.ERROR,
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Target:
    """One commit, the branch it is to go into, and the pull request whose name it goes by."""

    sha: str
    base_ref: str
    pull: PullRequest | None
    base_sha: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """One gate of one environment."""

    environment: str
    gate: Gate


def decide(task: Task) -> Done:
    """Ask the gates of every environment that the pull request changes, and set the status.

    What waits for a time is asked again then, everything else every so often, until the pull
    request is merged or closed. Raises Unavailable and RateLimited where trying again may help.
    """
    target = _target(task)
    if isinstance(target, str):
        return neutral(target)
    if target.base_ref not in ("", task.connection.branch):
        said = f"goes into {target.base_ref}, which is not deployed"
        return _reported(task, target, CheckState.SUCCESS, said)
    about = {"base_ref": target.base_ref, "base_sha": target.base_sha}
    try:
        with pinned(task.context, task.job.number, target.sha, **about) as sides:
            return _decided(task, target, sides)
    except Superseded as stale:
        return Done(Outcome(State.SUPERSEDED, str(stale), target.sha))
    except (Unavailable, RateLimited):
        raise
    except UserError as error:
        return _reported(task, target, CheckState.ERROR, f"not evaluated: {error.sentence}")


def _target(task: Task) -> _Target | str:
    forge, number = task.context.forge, task.job.number
    if not number:
        brings = int(task.job.details.get("brings") or 0)
        pull = forge.get_pr(brings) if brings else None
        return _Target(task.detail("sha"), "", pull, task.detail("base"))
    pull = forge.get_pr(number)
    if pull.state is not PullState.OPEN:
        return f"the pull request is {pull.state.value}"
    return _Target(pull.head_sha, pull.base_ref, pull)


def _decided(task: Task, target: _Target, sides: Pinned) -> Done:
    if sides.merged is None:
        said = f"conflicts with {target.base_ref}: the gates are evaluated when it can be merged"
        return _reported(task, target, CheckState.FAILURE, said)
    prepared = prepare(sides)
    if isinstance(prepared, str):
        return _reported(task, target, CheckState.SUCCESS, f"no gate: {prepared}")
    gitdir, git = sides.mirror.gitdir, sides.mirror.git
    tree, branch = Store(gitdir, git), task.connection.branch
    base_branch = at_commit(gitdir, tree, "", branch, sides.base, None)
    found = [
        Judged(name, gate)
        for name in prepared.touched.environments
        for gate in _gates(task, target, base_branch, prepared, name)
    ]
    if not found:
        return _reported(task, target, CheckState.SUCCESS, "no gate: nothing is promoted")
    grants, author = task.grants(target.sha), target.pull.author if target.pull else ""
    override = (grants.without(author) if prepared.subject.another else grants).override
    state, said = verdict(found, override)
    held: dict[str, str] = {}
    for item in found:
        if state is CheckState.FAILURE and item.gate.state is GateState.BLOCKED:
            before = held.get(item.environment)
            held[item.environment] = f"{before}, " if before else "blocked by "
            held[item.environment] += item.gate.name
    # An open gate may close as well, so it is looked at again at the latest after the interval.
    times = [item.gate.until.timestamp() + 1.0 for item in found if item.gate.until is not None]
    due = min([task.clock() + task.interval, *times])
    return _reported(task, target, state, said, due, held)


def _gates(
    task: Task, target: _Target, base_branch: BaseBranch, prepared: Prepared, name: str
) -> Sequence[Gate]:
    pull, forge = target.pull, task.context.forge

    def evidence_of(source: str) -> Evidence:
        return evidence.read(forge, source, history.same_state(base_branch, source))

    def successes() -> frozenset[str]:
        found = forge.read_statuses(pull.head_sha if pull is not None else target.sha)
        return frozenset(item.context for item in found if item.state is CheckState.SUCCESS)

    proposed = Proposed(
        name,
        prepared.subject.base,
        prepared.subject.head,
        prepared.subject.changed,
        # A stranger's branch may have any name.
        pull.head_ref if pull is not None and not pull.from_fork else "",
        frozenset(pull.labels if pull is not None else ()),
        successes,
        clusters=task.cluster,
    )
    found = recheck.again(proposed, evidence_of, task.now)
    if gates.open_now(found):
        return found
    # Whether it goes back takes reading the past, which most changes can be spared.
    past = history.earlier_definitions(base_branch, name)
    return recheck.again(dataclasses.replace(proposed, earlier=past), evidence_of, task.now)


def verdict(found: Sequence[Judged], override: Override | None) -> tuple[CheckState, str]:
    """State and description: the gate that holds most, and when it opens.

    A writer's override opens every gate that a reason can open, for this commit.
    """
    # What no proof and no time would open is what a reader has to know first.
    found = sorted(found, key=lambda item: (item.environment, item.gate.name not in _DECISIVE))
    blocked = [item for item in found if item.gate.state is GateState.BLOCKED]
    waiting = [item for item in found if item.gate.state is GateState.WAITING]
    if override is not None and gates.blocked((item.gate for item in found), forced=True):
        blocked = [item for item in blocked if not item.gate.forceable]
    elif override is not None and (blocked or waiting):
        return CheckState.SUCCESS, f"overridden by @{override.author}: {override.reason}"
    several = len({item.environment for item in found}) > 1
    if blocked:
        return CheckState.FAILURE, _words(blocked, several=several)
    if waiting:
        return CheckState.PENDING, _words(waiting, several=several)
    names = ", ".join(dict.fromkeys(item.gate.name for item in found))
    return CheckState.SUCCESS, f"open: {names}"


def _words(found: Sequence[Judged], *, several: bool) -> str:
    """The first in full, the others by name; the moment of opening first: texts are cut."""
    first = found[0]
    times = [item.gate.until for item in found if item.gate.until is not None]
    when = f"opens {shown_time(max(times))}: " if len(times) == len(found) else ""
    name = f"{first.environment}: {first.gate.name}" if several else first.gate.name
    rest = ", ".join(dict.fromkeys(item.gate.name for item in found[1:]))
    return f"{when}{name}: {first.gate.reason}" + (f" (and {rest})" if rest else "")


def _reported(
    task: Task,
    target: _Target,
    state: CheckState,
    said: str,
    due: float | None = None,
    held: Mapping[str, str] | None = None,
) -> Done:
    if not task.context.is_current():
        return superseded(target.sha)
    url = target.pull.url if target.pull is not None else ""
    task.context.forge.set_status(target.sha, CONTEXT, state, redact_prose(said), url)
    reminders = () if due is None or not task.job.number else (Reminder(task.job, due),)
    outcome = Outcome(_STATES[state], said, target.sha, held or {})
    return Done(outcome, reminders=reminders)
