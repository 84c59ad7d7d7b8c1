"""What a reviewer must know, in the order to read it: the first screen of every format.

The verdict, a sentence for each environment made from what causes its changes, what was not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generator.core.basis import together
from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.diff.model import Action
from generator.impact.finding import Finding
from generator.report import phrases
from generator.report.model import EnvironmentDiff, Report, grave

# What causes the rest, and so comes first.
_CAUSES = (
    "impact/migration",
    "impact/version",
    "impact/image",
    "impact/dag-revision",
    "impact/executor",
)
# A check that was not made is a note; what it might have found is unknown.
_UNDONE = frozenset({"diff/not-checked", "check/not-done"})
_CLAUSES = 4
_SHOWN = 3
_LONGEST = 160
_FIELDS = 2
_ACTIONS = {
    Action.MODIFIED: ("changes", "change"),
    Action.ADDED: ("is added", "are added"),
    Action.REMOVED: ("is removed", "are removed"),
}

Entry = tuple[str, Finding]


def verdict(report: Report) -> str:
    """What is to be decided; it says of nothing more than what was read.

    `Not compared: …` and `No changes …` come first, see `Report.headline`.
    """
    findings = [finding for _, finding in report.every_finding]
    parts = [_headline(report, findings)] if report.headline else []
    if rules := sorted(grave(findings)):
        parts.append(f"Needs a decision: {', '.join(rules)}")
    if errors := sum(problem.fails for problem in report.every_problem):
        parts.append(f"{counted(errors, 'error')} to fix")
    warnings = sum(item.severity is Severity.WARNING for item in findings)
    warnings += sum(item.severity is Severity.WARNING for item in phrases.shown(report))
    if warnings:
        parts.append(f"{counted(warnings, 'warning')} to read before the merge")
    undone = sum(item.rule in _UNDONE for item in report.every_problem)
    if not parts:
        parts = [_nothing_found(report, undone)]
    if undone:
        parts.append(f"{counted(undone, 'check')} not done")
    return ". ".join(parts)


def _nothing_found(report: Report, undone: int) -> str:
    """Of what was looked at; what was there before the change is no part of it."""
    new = "new " if phrases.aside(report) else ""
    statement = f"No {new}errors and no {new}warnings"
    if undone:
        return f"{statement} in what was checked"
    assured = report.basis.assure(statement)
    return str(assured) if assured else f"{statement} in what was read"


def _headline(report: Report, findings: Iterable[Finding]) -> str:
    """That of the report; beside a finding "no changes" is said of the objects alone."""
    told = any(item.severity is not Severity.INFO for item in findings)
    same = report.headline.startswith("No changes:")
    return "No rendered object changes" if same and told else report.headline


def sentences(report: Report) -> tuple[tuple[tuple[str, ...], str], ...]:
    """For each environment that changes its name and what happens; the gravest first.

    Environments with the same sentence share it.
    """
    rated = sorted(filter(_has_story, report.environments), key=_gravity)
    named: dict[str, list[str]] = {}
    for item in rated:
        named.setdefault(_sentence(item), []).append(item.name)
    return tuple((tuple(names), text) for text, names in named.items())


def not_read(report: Report) -> str:
    """What was not read, the first few by name; nothing where all was, or the verdict has it."""
    items = report.basis.not_read
    if not items or report.headline.startswith("Compared in part: "):
        return ""
    more = f"; and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"Not read: {'; '.join(map(str, items[:_SHOWN]))}{more}"


def of_severity(report: Report, *severities: Severity) -> list[Entry]:
    """The findings of these severities, the gravest of every environment first."""
    order = list(Severity)
    found = [entry for entry in report.every_finding if entry[1].severity in severities]
    return sorted(found, key=lambda entry: order.index(entry[1].severity))


def problems(report: Report, *severities: Severity) -> list[Problem]:
    """Those of these severities that the change brings, or of which that is not known."""
    return [item for item in phrases.shown(report) if item.severity in severities]


def _has_story(item: EnvironmentDiff) -> bool:
    return item.rendered and bool(item.changes or item.impact or item.fields)


def _gravity(item: EnvironmentDiff) -> tuple[int, ...]:
    return tuple(-item.severities[severity] for severity in Severity)


def _sentence(item: EnvironmentDiff) -> str:
    causes = [clause for rule in _CAUSES for clause in _clauses(item.impact, only=rule)]
    lead = [_moved(item), *(causes or [_by_hand(item)])]
    effects = list(_clauses(item.impact, but=_CAUSES))
    clauses = [*filter(None, lead), *effects[:_CLAUSES]]
    if len(effects) > _CLAUSES:
        clauses.append(f"and {len(effects) - _CLAUSES} more")
    elif not effects and not causes:
        clauses += _objects(item)
    return "; ".join(clauses)


def _moved(item: EnvironmentDiff) -> str:
    return ", ".join(filter(None, (f"was {item.old_name}" * bool(item.old_name), item.reason)))


def _by_hand(item: EnvironmentDiff) -> str:
    """`workers.replicas 2 → 4`, or where the definition changes."""
    if len(item.fields) > _FIELDS:
        tops = dict.fromkeys(re.split(r"[.\[]", field.path)[0] for field in item.fields)
        named = ", ".join(list(tops)[:_SHOWN]) + (" and more" if len(tops) > _SHOWN else "")
        return f"{counted(len(item.fields), 'field')} of the definition ({named})"
    moves = (phrases.field_of(field) for field in item.fields)
    return ", ".join(f"{path} {_cut(old, 60)} → {_cut(new, 60)}" for path, old, new in moves)


def _objects(item: EnvironmentDiff) -> Iterator[str]:
    """`2 objects change (ConfigMap, Role)`, and what notes say of it."""
    counts = item.actions
    parts = []
    for action, (one, many) in _ACTIONS.items():
        if counts[action]:
            verb = one if counts[action] == 1 else many
            parts.append(f"{counted(counts[action], 'object')} {verb}")
    kinds = sorted({change.key.kind for change in item.changes})
    named = ", ".join(kinds[:_SHOWN]) + (" and others" if len(kinds) > _SHOWN else "")
    if parts:
        yield f"{', '.join(parts)} ({named})"
    else:
        yield _unchanged(item)
    new = [finding for finding in item.impact if not _is_old(finding)]
    yield from (_first_words(finding) for finding in new[:_SHOWN])
    if parts and not item.impact and not item.reason:
        yield "no impact is known"


def _unchanged(item: EnvironmentDiff) -> str:
    """Of an environment that was compared and whose definition alone changes, or what notes say."""
    beyond = " beyond what is folded" if item.folded else ""
    basis = together((item.base_basis, item.basis))
    assured = basis.assure(f"no rendered object changes{beyond}")
    return str(assured) if assured else "no difference in what was read"


def _is_old(finding: Finding) -> bool:
    return "already so before this change" in finding.message


def _clauses(findings: Iterable[Finding], only: str = "", but: Sequence[str] = ()) -> Iterator[str]:
    """Each finding in a few words; notes only where their rule gives these."""
    seen: set[str] = set()
    for finding in findings:
        wanted = finding.rule == only if only else finding.rule not in but
        note = finding.severity is Severity.INFO
        words = finding.brief if finding.brief or note else _first_words(finding)
        if wanted and words and words not in seen:
            seen.add(words)
            yield words


def _first_words(finding: Finding) -> str:
    """The object and the first statement about it; of an error all of a short message."""
    message = finding.message.rstrip(".")
    if finding.severity is not Severity.ERROR or len(message) > _LONGEST:
        message = message.partition("; ")[0]
    if len(message) > _LONGEST:
        message = message.partition(": ")[0]
    place = f"{finding.resource.kind} {finding.resource.name}: " if finding.resource else ""
    return place + _cut(message.replace("; ", ", "), _LONGEST)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
