"""The report as Markdown within a budget: summary and impact first, whole diffs by risk, then cut.

The budget holds twice, in characters and in bytes, as forges count either.
"""

from __future__ import annotations

from collections.abc import Sequence

from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.diff.model import Change
from generator.impact.finding import Finding
from generator.report import alike, phrases, story
from generator.report.budget import SMALLEST, Page, cost
from generator.report.digests import shortened
from generator.report.escape import clipped, code, fence, prose, value
from generator.report.model import EnvironmentDiff, FieldChange, Report

_CHANGES = "Changes"
_DRIFT = "Already different in the cluster, not by this change"

_WORTH_CUTTING = 300
_FEW_LINES = 3
_MAX_NAMES = 200
_BASES = 5
_STORIES = 6
_ROOM_OF_TABLE = 600
_MAX_ALIKE = 30
_FIELDS = 12

Place = tuple[str, Change]
"""A change and the name of its environment."""

Group = tuple[str, Change, tuple[Change, ...]]
"""The same with those that exchange the same images."""


def render(report: Report, *, budget: int) -> str:
    """Markdown of at most `budget` characters and bytes; raises ValueError below 300.

    What a reviewer must know stands first and open, all else is folded.
    """
    if budget < SMALLEST:
        raise ValueError(f"a Markdown report needs at least {SMALLEST} characters")
    report = shortened(report)
    page = Page(budget)
    if not page.add(f"### Rendered diff {_title(report)}\n\n", page.part(0.5)):
        page.add("### Rendered diff\n\n")
    page.add(f"**{prose(clipped(story.verdict(report), 400))}.**\n\n")
    _sentences(page, report)
    if left := story.not_read(report):
        page.add(f"{prose(clipped(left, 600))}.\n\n", page.part(0.3))
    _judged_by(page, report)
    _definition(page, report)
    _findings(page, report, "**Needs a decision**\n\n", Severity.ERROR)
    _findings(page, report, "**Know before the merge**\n\n", Severity.WARNING)
    _problems(page, report)
    _summary(page, report)
    _notes(page, report)
    _flows(page, report)
    _files(page, report)
    _folded(page, report)
    _diffs(page, [(e.name, change) for e in report.environments for change in e.changes], _CHANGES)
    _diffs(page, [(e.name, change) for e in report.environments for change in e.drift], _DRIFT)
    return page.text()


def _title(report: Report) -> str:
    return f"{code(report.base, 24)} \u2192 {code(report.head, 24)}"


def _judged_by(page: Page, report: Report) -> None:
    for line in report.judged_by[:_BASES]:
        page.add(f"Judged by {prose(clipped(line, 300))}\n\n", page.part(0.1))
    if rest := report.judged_by[_BASES:]:
        page.add(f"and {len(rest):,} more\n\n", page.part(0.1))


def _sentences(page: Page, report: Report) -> None:
    rows = [
        f"{code(', '.join(names), 200)}: {prose(clipped(text, 900))}.\n\n"
        for names, text in story.sentences(report)
    ]
    shown = rows[:_STORIES]
    for row in shown:
        page.add(row, page.part(0.5, _ROOM_OF_TABLE))
    if rest := len(rows) - len(shown):
        page.add(f"and {counted(rest, 'more environment')}\n\n", page.part(0.3))


def _definition(page: Page, report: Report) -> None:
    """What people wrote; the same move in several environments once."""
    named: dict[FieldChange, list[str]] = {}
    for name, fields in (
        ("gen-env.yaml", report.fields),
        *((e.name, e.fields) for e in report.environments),
    ):
        for field in fields:
            named.setdefault(field, []).append(name)
    several = len(report.environments) > 1 or bool(report.fields)
    rows = [
        f"- {code(', '.join(names), 120) + ' ' if several else ''}{_field(field)}\n"
        for field, names in named.items()
    ]
    if len(rows) > _FIELDS + 1:
        rows[_FIELDS:] = [f"- and {len(rows) - _FIELDS:,} more fields\n"]
    _list(page, "**Definition**\n\n", rows, "fields", 0.3)


def _field(field: FieldChange) -> str:
    path, old, new = phrases.field_of(field)
    return f"{value(path, 120)} {value(old, 120)} \u2192 {value(new, 120)}"


def _summary(page: Page, report: Report) -> None:
    head = "| Environment | Objects | Impact | Remarks |\n|---|---|---|---|\n"
    rows = [_row(environment) for environment in report.environments]
    page.add_rows(
        head,
        rows,
        lambda rest: f"| and {rest:,} more | | | |\n",
        noun="environments",
        reserve=page.part(0.3),
    )


def _row(environment: EnvironmentDiff) -> str:
    lines = phrases.lines_of(environment.added_lines, environment.removed_lines)
    cells = (
        code(environment.name, 80),
        phrases.changes_of(environment) + (f" ({lines})" if environment.changes else ""),
        phrases.impact_of(environment),
        prose(clipped(phrases.remark_of(environment), 160)),
    )
    return f"| {' | '.join(cells)} |\n"


def _files(page: Page, report: Report) -> None:
    rows = [f"- {item.action.value} {prose(clipped(item.path, 200))}\n" for item in report.files]
    _fold(page, f"{counted(len(rows), 'file')} beside the objects", rows, "files", 0.3)


def _notes(page: Page, report: Report) -> None:
    rows = [*_rows(report, Severity.INFO), *map(_problem, story.problems(report, Severity.INFO))]
    _fold(page, counted(len(rows), "note"), rows, "notes", 0.2)


def _flows(page: Page, report: Report) -> None:
    count, flows = phrases.flows_of(report)
    several = len(report.environments) > 1
    rows = [
        f"- {code(name, 80) + ': ' if several else ''}{prose(clipped(text, 600))}\n"
        for name, text in flows
    ]
    title = counted(count, "change") if count else "not read"
    _fold(page, f"Who may talk to whom: {title}", rows, "flows", 0.15)


def _findings(page: Page, report: Report, heading: str, severity: Severity) -> None:
    _list(page, heading, _rows(report, severity), "findings", 0.2)


def _rows(report: Report, severity: Severity) -> list[str]:
    several = len(report.environments) > 1
    return [
        f"- {code(name, 80) + ': ' if several and name else ''}{_finding(finding)}\n"
        for name, finding in story.of_severity(report, severity)
    ]


def _finding(finding: Finding) -> str:
    place = f" {code(str(finding.resource))}" if finding.resource else ""
    message = prose(clipped(finding.message, 1_000))
    return f"**{finding.severity.value}** {code(finding.rule)}{place}: {message}"


def _problems(page: Page, report: Report) -> None:
    """What the change brings; what was there before is a number."""
    found = story.problems(report, Severity.ERROR, Severity.WARNING)
    heading = f"**{phrases.heading_of(found)}**\n\n"
    _list(page, heading, [_problem(item) for item in found], "problems", 0.1)
    if aside := phrases.aside(report):
        page.add(f"{prose(aside)}\n\n", page.part(0.1))


def _problem(problem: Problem) -> str:
    place = f" {code(problem.environment, 80)}" if problem.environment else ""
    words = prose(clipped(phrases.problem_text(problem), 1_000))
    return f"- **{problem.severity.value}** {code(problem.rule)}{place}: {words}\n"


def _folded(page: Page, report: Report) -> None:
    """Differences that alone do not change what runs."""
    rows = [
        f"- {code(environment.name, 80)}: {prose(clipped(phrases.folded_of(environment), 1_000))}\n"
        for environment in report.environments
        if environment.folded
    ]
    _fold(page, "Folded: differences that alone do not change what runs", rows, "folded", 0.1)


def _fold(page: Page, title: str, rows: Sequence[str], noun: str, share: float) -> None:
    """A closed list; where not even its first row has room it is only named at the end."""
    heading = f"<details><summary>{title}</summary>\n\n"
    if not rows:
        return
    if not page.fits(heading + rows[0] + _CLOSING, page.part(share, 50)):
        page.omit(f"{len(rows):,} {noun}")
        return
    page.keep(cost(_CLOSING))
    _list(page, heading, rows, noun, share)
    page.keep(0)
    page.add(_CLOSING)


def _list(page: Page, heading: str, rows: Sequence[str], noun: str, share: float) -> None:
    page.add_rows(
        heading,
        rows,
        lambda rest: f"- and {rest:,} more {noun}, left out for length\n",
        noun=noun,
        reserve=page.part(share),
    )


def _diffs(page: Page, places: Sequence[Place], heading: str) -> None:
    """Whole objects by risk while they fit, then the riskiest of the rest cut, then names."""
    if not places:
        return
    groups = _groups(places)
    opening = _opening(heading, len(places))
    free = page.left - page.part(0.06) - cost(opening) - cost(_CLOSING)
    chosen, free = _whole(groups, free)
    for index, group in enumerate(groups):
        if index not in chosen and free >= _WORTH_CUTTING:
            text = _cut(group, free)
            if text:
                chosen[index] = text
                free -= cost(text)
    if chosen:
        page.add(opening)
        for index in sorted(chosen):
            page.add(chosen[index])
        page.add(_CLOSING)
    rest = [group for index, group in enumerate(groups) if index not in chosen]
    _left_out(
        page, [(name, item) for name, first, others in rest for item in (first, *others)], heading
    )


def _groups(places: Sequence[Place]) -> list[Group]:
    """The riskiest first; what exchanges the same images in one environment is one group."""
    by_name: dict[str, list[Change]] = {}
    for name, change in places:
        by_name.setdefault(name, []).append(change)
    groups = [
        (name, first, others)
        for name, changes in by_name.items()
        for first, others in alike.grouped(changes)
    ]
    return sorted(groups, key=lambda group: (-group[1].risk, group[1].key.sort_key))


def _whole(groups: Sequence[Group], free: int) -> tuple[dict[int, str], int]:
    chosen: dict[int, str] = {}
    for index, group in enumerate(groups):
        # Rendering what cannot fit is wasted work with ten thousand objects.
        if free < 40 or len(group[1].diff) > free:
            continue
        text = _block(group, group[1].diff)
        if cost(text) <= free:
            chosen[index] = text
            free -= cost(text)
    return chosen, free


_CLOSING = "</details>\n\n"


def _opening(heading: str, count: int) -> str:
    noun = "object" if count == 1 else "objects"
    return f"<details><summary>{heading}: {count:,} {noun}</summary>\n\n"


def _block(group: Group, diff: str, note: str = "") -> str:
    name, change, others = group
    mark = fence(diff)
    return (
        f"{code(name, 80)} {change.action.value} {_titled(change)}\n\n"
        f"{mark}diff\n{diff}\n{mark}\n\n{note}{_alike(others)}"
    )


def _titled(change: Change) -> str:
    lines = phrases.lines_of(change.added_lines, change.removed_lines)
    return f"{code(phrases.name_of(change))} ({lines})"


def _alike(others: Sequence[Change]) -> str:
    if not others:
        return ""
    named = ", ".join(map(_titled, others[:_MAX_ALIKE]))
    more = f" and {len(others) - _MAX_ALIKE:,} more" if len(others) > _MAX_ALIKE else ""
    return f"The same image lines in {counted(len(others), 'more object')}: {named}{more}\n\n"


def _cut(group: Group, free: int) -> str:
    """The first lines of a diff with its fence closed and a note; nothing if too few fit."""
    diff = group[1].diff
    lines = diff.split("\n")
    mark = fence(diff)
    note = f"Cut for length: {len(lines):,} more lines of this object.\n\n"
    room = free - cost(_block(group, "", note)) - 2 * (len(mark) - 3)
    taken = 0
    for line in lines:
        room -= cost(line) + 1
        if room < 0:
            break
        taken += 1
    if taken < _FEW_LINES:
        return ""
    rest = len(lines) - taken
    words_left = f"Cut for length: {counted(rest, 'more line')} of this object.\n\n"
    return _block(group, "\n".join(lines[:taken]), words_left)


def _left_out(page: Page, places: Sequence[Place], heading: str) -> None:
    """As many names as have room, the riskiest first."""
    if not places:
        return
    what = f"{len(places):,} {'diffs' if heading == _CHANGES else 'drifted objects'}"
    shown: list[str] = []
    line = ""
    for name, change in places[:_MAX_NAMES]:
        shown.append(code(f"{name}: {phrases.name_of(change)}", 120))
        rest = len(places) - len(shown)
        tail = f" and {rest:,} more" if rest else ""
        longer = f"{what} left out for length: {', '.join(shown)}{tail}.\n\n"
        if not page.fits(longer):
            break
        line = longer
    if not line or not page.add(line):
        page.omit(what)
