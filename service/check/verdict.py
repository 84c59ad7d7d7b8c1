"""From findings to one word, one line, and what people have said about it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

from generator.actions.validate import NotDone
from generator.core.basis import together
from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.report import phrases
from generator.report.model import EnvironmentDiff, Report, grave
from service.check.assess import CHART, Findings, is_without_base
from service.model.job import Grants, State

_rule = functools.partial(Rule, command="service")
NOT_COMPARED = _rule(
    "check/not-compared", Severity.ERROR, "A base that does not render",
    "What the change removes is unknown; a writer accepts it for a commit.",
)  # fmt: skip
ACCEPTED = _rule(
    "check/accepted", Severity.INFO, "An impact that a writer has accepted",
    "It does not fail the check of this commit.",
)  # fmt: skip
OVERRIDE = _rule(
    "check/override", Severity.INFO, "A check that a writer overrides",
    "What it found does not fail it.",
)  # fmt: skip
TRUSTED = _rule(
    "check/trusted", Severity.INFO, "A commit of a fork that a writer has allowed",
    "It is rendered as a branch of this repository is.",
)  # fmt: skip
NOT_DONE = _rule(
    "check/not-done", Severity.INFO, "A check that was not run",
    "It is unknown whether there are findings.",
)  # fmt: skip
SUPPRESSED = _rule(
    "check/suppressed", Severity.INFO, "Findings that definitions suppress",
    "They are counted, not shown.",
)  # fmt: skip
ACCEPT = _rule(
    "check/accept", Severity.INFO, "An impact that fails the check until a writer accepts it",
    "Data or service may be lost.",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """How it ends. `waiting` says what a person must do before there can be a verdict.

    `notes` are findings about the check itself: what was accepted, overridden, not done; `refused`
    the rules that a writer could accept.
    """

    state: State
    summary: str
    environments: Mapping[str, str]
    notes: tuple[Problem, ...] = ()
    waiting: str = ""
    refused: tuple[str, ...] = ()


def decide(
    found: Findings, grants: Grants, *, waiting: str = "", group: bool = False, author: str = ""
) -> Verdict:
    """The verdict on a change.

    New errors fail it, and old ones near what it changes; an impact that is an error does until a
    writer has accepted its rule for this very commit. In a merge group (`group`) impacts were
    judged on each pull request's own head. What could not be checked is an error of ours. A
    writer's override turns all of these into success. Where a tier asks for another person, the
    word of the pull request's `author` counts for nothing.
    """
    given, grants = grants, grants.without(author) if found.another else grants
    errors = [problem for problem in found.report.every_problem if problem.fails]
    diffs, accepted = found.report.environments, grants.accepted.keys()
    refused = {item.name: frozenset() if group else _grave(item) - accepted for item in diffs}
    shared = frozenset() if group else grave(found.report.impact) - accepted
    undone = {item.environment: item for item in found.not_done if item.check == CHART}
    rules = tuple(sorted(shared.union(*refused.values())))
    notes = tuple(_notes(found, given, grants, rules))
    otherwise = State.NEUTRAL if waiting else State.SUCCESS
    states = {
        item.name: _state(item, refused[item.name], undone, otherwise).value for item in diffs
    }
    checks = len({item.check for item in found.not_done})
    left_out = f"; {counted(checks, 'check')} not done" if checks else ""
    # What was not compared is an error, or a writer has accepted it.
    compared = (item for item in diffs if item.rendered)
    basis = together(basis for item in compared for basis in (item.base_basis, item.basis))
    if errors or rules:
        state, summary = State.FAILURE, _failure(errors, rules)
    elif waiting:
        state, summary = State.NEUTRAL, waiting
    elif undone:
        name, item = min(undone.items())
        state, summary = State.ERROR, f"{name}: {item.reason}"
    elif assured := basis.assure(f"{_changes(found.report)}{left_out}"):
        state, summary = State.SUCCESS, str(assured)
    else:
        left = "; ".join(map(str, basis.not_read[:3]))
        state, summary = State.ERROR, f"not read: {left}"
    if spoken := _spoken(found.report, grants):
        summary = f"{spoken}; {summary}"
    if grants.override is not None and state in (State.FAILURE, State.ERROR):
        summary = f"overridden by @{grants.override.author}: {grants.override.reason} ({summary})"
        return Verdict(State.SUCCESS, summary, states, notes)
    waiting = waiting if state is State.NEUTRAL else ""
    return Verdict(state, summary, states, notes, waiting, rules)


def _grave(item: EnvironmentDiff) -> frozenset[str]:
    """Rules that somebody must accept: grave impacts, and an impact that nobody can know."""
    found = grave(item.impact)
    return found | {NOT_COMPARED.id} if is_without_base(item) else found


def _state(
    item: EnvironmentDiff,
    refused: frozenset[str],
    undone: Mapping[str, NotDone],
    otherwise: State,
) -> State:
    if refused or any(problem.fails for problem in item.problems):
        return State.FAILURE
    read = not item.rendered or (item.basis.complete and item.base_basis.complete)
    return otherwise if read and item.name not in undone else State.ERROR


def _failure(errors: Sequence[Problem], rules: Sequence[str]) -> str:
    parts = []
    if errors:
        first = errors[0]
        place = f" at {first.place}" if first.place else ""
        parts.append(f"{counted(len(errors), 'problem')}, first {first.rule}{place}")
    if rules:
        parts.append(f"not accepted: {', '.join(rules)}")
    return "; ".join(parts)


def _changes(report: Report) -> str:
    if not report.environments:
        return report.headline or "no environment changes"
    told = [f"{item.name}: {phrases.changes_of(item)}" for item in report.environments]
    impacts = sum(len(item.impact) for item in report.environments)
    extra = f"; {counted(impacts, 'impact')}" if impacts else ""
    aside = phrases.aside(report).removesuffix(".")
    extra += f"; {aside}" if aside else ""
    return "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if told[3:] else "") + extra


def _spoken(report: Report, grants: Grants) -> str:
    """`accepted by @alice: impact/data-loss`: who spoke for what this change does."""
    by_author: dict[str, list[str]] = {}
    for rule in sorted(_acceptable(report) & set(grants.accepted)):
        by_author.setdefault(grants.accepted[rule], []).append(rule)
    return "; ".join(
        f"accepted by @{author}: {', '.join(rules)}" for author, rules in sorted(by_author.items())
    )


def _acceptable(report: Report) -> frozenset[str]:
    """What of this change a person may accept."""
    return grave(report.impact).union(*map(_grave, report.environments))


def _notes(
    found: Findings, given: Grants, grants: Grants, refused: Sequence[str]
) -> Iterator[Problem]:
    """What a reader of the report must know beside it; of what was `given`, `grants` counts."""
    acceptable = _acceptable(found.report)
    for rule, author in sorted(grants.accepted.items()):
        if rule in acceptable:
            yield ACCEPTED.problem(f"{author} has accepted {rule} for this commit")
    if grants.override is not None:
        by = grants.override
        yield OVERRIDE.problem(f"{by.author} overrides this check: {by.reason}")
    if grants.trusted_by:
        yield TRUSTED.problem(f"{grants.trusted_by} has allowed this commit of a fork")
    # One line for a check, however many objects and environments it was not done for.
    for check in sorted({item.check for item in found.not_done}):
        items = [item for item in found.not_done if item.check == check]
        rest = f" (and {len(items) - 1:,} more of this kind)" if items[1:] else ""
        yield NOT_DONE.problem(f"{check} not checked: {items[0].reason}{rest}")
    if found.suppressed:
        count = counted(found.suppressed, "finding")
        yield SUPPRESSED.problem(f"{count} suppressed in the definitions, with reasons")
    unheard = sorted(given.accepted.keys() - grants.accepted.keys())
    if given.override is not None and grants.override is None:
        unheard.append("override")
    if unheard:
        words = f"{', '.join(unheard)} by the author does not count"
        yield ACCEPT.problem(f"{words}: policy requires another person")
    for rule in refused:
        yield ACCEPT.problem(f"{rule} fails this check until a writer accepts it for this commit")
