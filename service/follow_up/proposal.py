"""Promotions and rollbacks that the service proposes: the generator's own, opened by itself.

Both end at an open pull request. Merging stays with people and with what they require for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from generator.core.problem import Problem, has_errors
from generator.forge.port import PullState
from generator.pipeline import toolchain
from generator.pipeline.repository import ROOT
from generator.promotion import history, rollback
from generator.promotion.base_branch import BaseBranch
from generator.promotion.gates import Gate
from generator.promotion.gates import State as GateState
from generator.promotion.promote import Options, Published, Toolchain, prepare, publish_it
from service.follow_up.branch import workspace
from service.follow_up.task import Done, Task, neutral
from service.model.job import Job, Kind, State
from service.store.reminders import Reminder
from service.store.runs import Outcome

_LATER = ("freeze", "labels", "statuses", "promotion-only")
"""Gates for which the pull request may be open: it is what waits, and can be read meanwhile."""


def promote(task: Task) -> Done:
    """Propose to the next environment what was verified; without a target to each that follows."""
    source, target = task.job.environment, task.detail("target")
    with workspace(task) as base_branch:
        settings = base_branch.settings.repository.promotion
        if not settings.automatic:
            return neutral("promotion.automatic is off")
        following = [
            after
            for path in settings.paths.values()
            for before, after in itertools.pairwise(path)
            if before == source
        ]
        if not target and not following:
            return neutral(f"nothing follows {source}")
        if not target:
            targets = sorted(set(following))
            jobs = [task.then(Kind.PROMOTE, environment=source, target=name) for name in targets]
            return Done(Outcome(State.DONE, f"may move on to {', '.join(targets)}"), tuple(jobs))
        if target not in following:
            return neutral(f"{target} no longer follows {source}")
        return _promoted(task, base_branch, Options(source, target))


def _promoted(task: Task, base_branch: BaseBranch, options: Options) -> Done:
    tools = _tools(task, base_branch)
    found = prepare(base_branch, options, tools, task.now)
    if found.empty:
        return neutral(found.nothing, base_branch.base)
    if has_errors(found.regenerated.problems):
        return _impossible(base_branch, found.regenerated.problems)
    shut = [gate for gate in found.gates if _holds_back(gate)]
    if shut:
        said = "; ".join(f"{gate.name}: {gate.reason}" for gate in shut)
        times = [gate.until.timestamp() for gate in shut if gate.until is not None]
        # When all that is waited for has a time, then; otherwise another verdict will tell.
        later = [Reminder(task.job, max(times) + 1.0)] if len(times) == len(shut) else []
        return neutral(said, base_branch.base, *later)
    if number := _turned_down(task, found.branch):
        return neutral(f"pull request {number} with the same content was closed", base_branch.base)
    return _opened(task, options.target, publish_it(found, tools, task.now, pull=True))


def _tools(task: Task, base_branch: BaseBranch) -> Toolchain:
    files = base_branch.files
    charts, renderer = toolchain.charts(files), toolchain.lazy(files)
    return Toolchain(charts, renderer, task.context.forge, clusters=task.cluster)


def _holds_back(gate: Gate) -> bool:
    if gate.name in _LATER:
        return gate.state is GateState.BLOCKED
    return gate.state is not GateState.PASSED


def _turned_down(task: Task, branch: str) -> int:
    """The number of our last pull request of this content if a person has closed it for good."""
    if any(pull.head_ref == branch for pull in task.context.forge.list_open_prs()):
        return 0
    for run in task.history.of_key(task.job.key):
        number = run["details"].get("opened") or next(iter(run["environments"].values()), "")
        if run["state"] != State.DONE.value or not str(number).isdecimal():
            continue
        pull = task.context.forge.get_pr(int(number))
        turned_down = pull.state is PullState.CLOSED and pull.head_ref == branch
        return pull.number if turned_down else 0
    return 0


def _impossible(base_branch: BaseBranch, problems: Sequence[Problem]) -> Done:
    first = next(item for item in problems if has_errors([item]))
    said = f"cannot be generated: {first.message}"
    return Done(Outcome(State.FAILURE, said, base_branch.base))


def _opened(task: Task, environment: str, done: Published) -> Done:
    assert done.pull is not None
    said = f"pull request {done.pull.number}: {done.pull.title}"
    outcome = Outcome(State.DONE, said, done.placed.commit, {environment: str(done.pull.number)})
    return Done(outcome, _comment(task))


def _comment(task: Task) -> tuple[Job, ...]:
    return (task.then(Kind.VERDICTS),) if task.job.number else ()


def roll_back(task: Task) -> Done:
    """Propose the earlier state of an environment whose verification failed."""
    name, sha = task.job.environment, task.detail("sha")
    with workspace(task) as base_branch:
        if not base_branch.settings.repository.rollback.automatic:
            return neutral("rollback.automatic is off")
        changed = ("diff", "--quiet", sha, base_branch.base, "--")
        folder = base_branch.inside(f"{ROOT}/{name}")
        if base_branch.tree.git.run(*changed, folder, check=False).status != 0:
            return neutral(f"{name} has changed since {sha[:12]}", base_branch.base)
        # An earlier state: the one before it is what somebody went back from.
        text = base_branch.definition(name).document.text.encode()
        if text in history.earlier_definitions(base_branch, name):
            return neutral(f"{name} was already rolled back, and the rolled-back state fails", sha)
        tools = _tools(task, base_branch)
        found = rollback.prepare(base_branch, rollback.Options(name), tools, task.now)
        if found.empty:
            return neutral(f"{name} is already in its previous state", base_branch.base)
        if found.refusal:
            return Done(Outcome(State.FAILURE, f"refused: {found.refusal}", sha), _comment(task))
        if has_errors(found.regenerated.problems):
            return _impossible(base_branch, found.regenerated.problems)
        if number := _turned_down(task, found.branch):
            return neutral(f"pull request {number} with the same content was closed", sha)
        return _opened(task, name, rollback.publish_it(found, tools, pull=True))
