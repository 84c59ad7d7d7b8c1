"""Phrases that several formats share."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from generator.core.counted import counted
from generator.core.problem import Problem, Severity, State
from generator.core.visible import one_line
from generator.diff.model import Action, Change
from generator.redaction.text import redact
from generator.report.model import EnvironmentDiff, FieldChange, Report

_NAMES = 5
_ACTIONS = {Action.MODIFIED: "changed", Action.ADDED: "added", Action.REMOVED: "removed"}


def changes_of(environment: EnvironmentDiff) -> str:
    """`3 changed, 1 added`, or why there is none."""
    counts = environment.actions
    parts = [f"{counts[action]:,} {word}" for action, word in _ACTIONS.items() if counts[action]]
    if parts:
        return ", ".join(parts)
    return "none" if environment.rendered else "not compared"


def lines_of(added: int, removed: int) -> str:
    """`+12` and a minus sign with the other number."""
    return f"+{added:,} \u2212{removed:,}"


def impact_of(environment: EnvironmentDiff) -> str:
    """`1 error, 2 warnings, 3 notes`; of what was not compared, that it is not known."""
    counts = environment.severities
    parts = [counted(counts[severity], severity.noun) for severity in Severity if counts[severity]]
    return ", ".join(parts) or ("none" if environment.rendered else "not known")


def remark_of(environment: EnvironmentDiff) -> str:
    """The reason, the old name, what was folded, what had drifted: what a row still has to say."""
    parts = []
    if environment.old_name:
        parts.append(f"was {environment.old_name}")
    if environment.reason:
        parts.append(environment.reason)
    if environment.folded:
        parts.append(f"{sum(item.count for item in environment.folded):,} folded")
    if environment.drift:
        parts.append(f"{len(environment.drift):,} drifted")
    new = [item for item in environment.problems if not item.is_aside]
    if count := sum(item.severity is not Severity.INFO for item in new):
        parts.append(counted(count, "problem"))
    return one_line("; ".join(parts))


def flows_of(report: Report) -> tuple[int, list[tuple[str, str]]]:
    """How many flows change; environment and words of each, and of what was not read beside."""
    rows: list[tuple[str, str]] = []
    count = 0
    for item in report.environments:
        if item.flows and item.rendered:
            count += len(item.flows.changes)
            rows += [(item.name, redact(str(change))) for change in item.flows.changes]
            rows += [(item.name, f"not read: {words}") for words in item.flows.not_read]
    return count, rows


def name_of(change: Change) -> str:
    """`Deployment airflow/scheduler`, with the old name where it had another."""
    if change.old_key is None:
        return one_line(str(change.key))
    return one_line(f"{change.key} (was {change.old_key})")


def folded_of(environment: EnvironmentDiff) -> str:
    """`annotation checksum/airflow-config in 4 objects, label chart in 12 objects`."""
    return one_line(
        ", ".join(f"{item.field} in {counted(item.count, 'object')}" for item in environment.folded)
    )


def shown(report: Report) -> list[Problem]:
    """The problems to list: all but those that the change only finds there, or ends."""
    return [problem for problem in report.every_problem if not problem.is_aside]


def heading_of(problems: Sequence[Problem]) -> str:
    """What stands above them: an old one is there where the change concerns its object or file."""
    old = any(problem.state is State.OLD for problem in problems)
    return "Findings, new or on what changes" if old else "New findings"


def aside(report: Report) -> str:
    """`9 errors were there before this change. 2 problems are gone.`, or nothing."""
    parts = []
    if old := _counted(report, State.OLD):
        parts.append(f"{', '.join(old)} there before this change.")
    if gone := _counted(report, State.GONE):
        parts.append(f"{', '.join(gone)} gone with it.")
    return " ".join(parts)


def _counted(report: Report, state: State) -> list[str]:
    """`9 errors`, `2 warnings were`: the last with its verb."""
    found = [item for item in report.every_problem if item.is_aside and item.state is state]
    counts = collections.Counter(item.severity for item in found)
    parts = [counted(counts[severity], severity.noun) for severity in Severity if counts[severity]]
    verbs = ("was", "were") if state is State.OLD else ("is", "are")
    if parts:
        parts[-1] += f" {verbs[len(found) != 1]}"
    return parts


def names_of(names: Sequence[str]) -> str:
    """`dev, staging`; of many the first few."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def field_of(change: FieldChange) -> tuple[str, str, str]:
    """Path, old and new value, in which a side without the field says so."""
    return change.path, change.before or "not set", change.after or "not set"


def problem_text(problem: Problem) -> str:
    """`file:line: message; hint`."""
    place = f"{problem.place}: " if problem.place else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return one_line(f"{place}{problem.message}{hint}")
