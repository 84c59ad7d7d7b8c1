"""The whole check of one pull request or merge group, step by step.

A draft is checked like any other pull request: its author wants to know before asking others. A
merge group gets a status and nothing else. What a stranger's fork brings is read as text only,
until a writer has allowed that very commit; its status waits until then.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Severity
from generator.core.rule import Rule
from generator.forge.errors import RateLimited, Unavailable
from generator.forge.port import CheckState as ForgeState
from generator.pipeline import base_toolchain, generate, regeneration, toolchain
from generator.pipeline.regeneration import Plan
from generator.pipeline.repository import SETTINGS
from generator.pipeline.toolchain import Charts, Renderer, charts_of
from generator.report.model import Report
from service.check import assess, images, publish, regenerate
from service.check.assess import Findings, Tools
from service.check.mirror import Pinned, pinned
from service.check.prepare import Bounded, Prepared, concerns, paths_between, prepare
from service.check.regenerate import Proposal, Pushed
from service.check.reporter import CheckRequest, Reporter, Superseded, Target, target_of
from service.check.verdict import Verdict, decide
from service.model.job import CheckOutcome, Grants, State
from service.telemetry import instrument
from service.telemetry.logs import kind_and_place

CONFLICT = Rule(
    "merge/conflict", Severity.ERROR, "A branch that conflicts with its base",
    "A change that cannot be merged cannot be checked.", command="service",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """What the check takes beside the request; the defaults are this machine's own.

    `marker_key` makes the marker of our comments and must be the same for every worker. `charts`
    and `renderer` are made from the files of the base, whose settings alone count.
    """

    marker_key: bytes = dataclasses.field(repr=False)
    charts: Callable[[Files], Charts] = toolchain.charts
    renderer: Callable[[Files], Renderer] = lambda files: toolchain.lazy(
        files, watch=instrument.of_renders()
    )
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    seconds: float = 900.0


class UnexpectedFault(Exception):
    """A bug of ours, told without the values that its own message might quote."""


def check(request: CheckRequest, toolchain: Toolchain) -> CheckOutcome:
    """Check a pull request and tell the forge.

    Running it again changes nothing. Faults that people can mend come back as an outcome in state
    `error`; raises Unavailable and RateLimited where trying again may help, and UnexpectedFault,
    which names a place in the source and nothing else, for a bug.
    """
    outcome = _attempt(request, toolchain)
    if isinstance(outcome, str):
        # The tree was regenerated in a commit of ours, which nobody has granted anything yet.
        follow_up = dataclasses.replace(request, head_sha=outcome, grants=Grants())
        outcome = _attempt(follow_up, toolchain)
    assert not isinstance(outcome, str)
    return outcome


def _attempt(request: CheckRequest, toolchain: Toolchain) -> CheckOutcome | str:
    """One head checked, or the id of the commit that was pushed on top of it."""
    reporter = Reporter(request, toolchain.marker_key)
    head = request.head_sha
    try:
        target = target_of(request, reporter)
        head = target.head
        reporter.status(head, ForgeState.PENDING, "checking")
        about = {"base_ref": target.base_ref, "base_sha": request.base_sha}
        with pinned(request.context, request.number, head, **about) as sides:
            try:
                return _checked(sides, target, reporter, toolchain)
            except (Unavailable, RateLimited):
                raise
            except UserError as error:
                return publish.fault(reporter, head, error.sentence, _author(sides, target))
    except Superseded as stale:
        return CheckOutcome(State.SUPERSEDED, str(stale), head)
    except (Unavailable, RateLimited):
        raise
    except UserError as error:
        return publish.fault(reporter, head, error.sentence)
    except Exception as error:
        fault = f"gen-env failed, which is a bug: {kind_and_place(error)}"
        publish.fault(reporter, head, fault)
        raise UnexpectedFault(fault) from None


def _author(sides: Pinned, target: Target) -> str:
    """Whose override counts for nothing: the author's, where the base's settings may ask so.

    They are looked at as text: what could not be judged may be these very settings.
    """
    try:
        text = sides.mirror.at(sides.base).read_file(SETTINGS)
    except UserError:
        return target.author
    return target.author if b"anotherPerson" in (text or b"") else ""


def _checked(
    sides: Pinned, target: Target, reporter: Reporter, toolchain: Toolchain
) -> CheckOutcome | str:
    if sides.merged is None:
        return _conflict(sides, target, reporter)
    prepared = prepare(sides)
    if isinstance(prepared, str):
        return publish.neutral(reporter, target.head, prepared)
    base = prepared.subject.base
    with (
        base_toolchain.charts(base, prepared.repository, toolchain.charts) as charts,
        base_toolchain.crds(base, prepared.repository) as crds,
    ):
        renderer = Bounded(toolchain.renderer(base), toolchain.seconds)
        tools = Tools(charts, renderer, crds, toolchain.now())
        prepared, plan, proposal = _regenerated(sides, prepared, target, tools)
        remarks: list[str] = []
        if proposal is not None:
            held = _push_back(sides, proposal, prepared, target, reporter)
            if not held:
                return proposal.sha
            remarks.append(f"the tree is out of date, and gen-env does not push it: {held}")
        elif plan:
            remarks.append(_BEHIND)
        found = (assess.full if target.trusted else assess.static)(prepared.subject, tools)
        renderer.require_time()
    registries = prepared.repository.policy.registries
    found = images.judged(found, registries, fork=target.fork)
    if regenerate.is_ours(sides.mirror, sides.head):
        remarks.append("gen-env has regenerated the tree in the newest commit")
    waiting = "" if target.trusted else f"static checks only: {assess.UNTRUSTED}"
    verdict = decide(
        found, reporter.request.grants, waiting=waiting, group=target.group, author=target.author
    )
    patch = proposal.patch if proposal else ""
    return publish.publish(reporter, target, found, verdict, remarks, patch)


_BEHIND = (
    "the tree is out of date, and the branch is too far behind its base for a patch: merge the "
    "base into it, then run `gen-env generate`"
)


def _regenerated(
    sides: Pinned, prepared: Prepared, target: Target, tools: Tools
) -> tuple[Prepared, Plan, Proposal | None]:
    """Generate the touched environments; what is to be said of the repository itself is added.

    The plan that brings the tree up to date, and a commit that carries it out where one can.
    """
    subject, names = prepared.subject, prepared.names
    renderer = tools.renderer if target.trusted else None
    charts = charts_of(tools.charts, subject.head)
    generation = generate.generate(subject.head, names, charts, renderer, may_render=target.trusted)
    wanted = regeneration.wanted(generation, names, subject.versions)
    if not names:
        drift = regeneration.repository_drift(generation, subject.head)
        subject = dataclasses.replace(subject, problems=(*subject.problems, *drift))
        prepared = dataclasses.replace(prepared, subject=subject)
    if not wanted or target.group:
        return prepared, wanted, None
    return prepared, wanted, regenerate.propose(sides, wanted, names)


def _push_back(
    sides: Pinned, proposal: Proposal, prepared: Prepared, target: Target, reporter: Reporter
) -> str:
    """Push the commit; why it was not pushed, or nothing."""
    if why := _not_to_push(sides, prepared, target, reporter):
        return why
    last_word = "the tree was out of date: see the commit that follows"
    reporter.status(target.head, ForgeState.FAILURE, last_word)
    reporter.ask()
    context, places = reporter.request.context, {"branch": target.branch, "seen": target.head}
    result = regenerate.push(sides.mirror, context, commit=proposal.sha, **places)
    if result is Pushed.MOVED:
        raise Superseded(result.value)
    return "" if result is Pushed.DONE else result.value


def _not_to_push(sides: Pinned, prepared: Prepared, target: Target, reporter: Reporter) -> str:
    if not target.branch:
        return "the branch belongs to a fork"
    if not reporter.request.context.connection.push_back:
        return "pushing is switched off"
    if regenerate.is_ours(sides.mirror, sides.head):
        return "the newest commit is already by gen-env"
    if prepared.later:
        return "this change also changes settings that take effect after the merge"
    policies = {str(tier): item for tier, item in prepared.repository.policy.tiers.items()}
    for name in prepared.names:
        tier = prepared.found.definitions[name].tier
        if tier in policies and policies[tier].promotion_only:
            return f"tier {tier} changes by promotion only"
    return ""


def _conflict(sides: Pinned, target: Target, reporter: Reporter) -> CheckOutcome:
    """Nobody can judge what nobody can merge; told only where it concerns gen-env's files."""
    fork = sides.mirror.git.line_or_none("merge-base", sides.base, sides.head)
    if fork is not None and not concerns(paths_between(sides, fork, sides.head)):
        return publish.neutral(reporter, target.head, "this change affects no gen-env files")
    said = f"conflicts with {target.base_ref}"
    hint = "merge the base branch or rebase onto it, and resolve the conflict"
    problems = tuple(CONFLICT.problem(said, path=path, hint=hint) for path in sides.conflicts)
    names = (sides.base[:12], sides.head[:12])
    found = Findings(Report(*names, (), problems, not_compared="the branch conflicts"))
    summary = f"{said} in {counted(len(sides.conflicts), 'file')}"
    notes = decide(found, reporter.request.grants).notes
    told = Verdict(State.FAILURE, summary, {}, notes)
    return publish.publish(reporter, target, found, told)
