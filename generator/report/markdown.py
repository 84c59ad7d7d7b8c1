"""The report as Markdown within a budget: summary and impact first, whole diffs by risk, then cut.

The budget holds twice, in characters and in bytes, as forges count either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generator.core.counted import counted
from generator.core.problem import Severity
from generator.diff.model import Change
from generator.impact.finding import Finding
from generator.report import phrases
from generator.report.budget import SMALLEST, Page, cost
from generator.report.escape import clipped, code, fence, prose
from generator.report.model import EnvironmentDiff, Report

_CHANGES = "Changes"
_DRIFT = "Already different in the cluster, not by this change"

"""Below this not even the summary has room."""

_WORTH_CUTTING = 300
_FEW_LINES = 3
_MAX_NAMES = 200
_BASES = 5

Place = tuple[EnvironmentDiff, Change]


def render(report: Report, *, budget: int) -> str:
    """Markdown of at most `budget` characters and bytes; raises ValueError below 300."""
    if budget < SMALLEST:
        raise ValueError(f"a Markdown report needs at least {SMALLEST} characters")
    page = Page(budget)
    if not page.add(f"### Rendered diff {_title(report)}\n\n", page.part(0.5)):
        page.add("### Rendered diff\n\n")
    if report.headline:
        page.add(clipped(f"{prose(report.headline)}.", 400) + "\n\n")
    _judged_by(page, report)
    _summary(page, report)
    _files(page, report)
    _impact(page, report)
    _problems(page, report)
    _folded(page, report)
    _diffs(page, [(e, change) for e in report.environments for change in e.changes], _CHANGES)
    _diffs(page, [(e, change) for e in report.environments for change in e.drift], _DRIFT)
    return page.text()


def _title(report: Report) -> str:
    return f"{code(report.base, 24)} \u2192 {code(report.head, 24)}"


def _judged_by(page: Page, report: Report) -> None:
    for line in report.judged_by[:_BASES]:
        page.add(f"Judged by {prose(clipped(line, 300))}\n\n", page.part(0.1))
    if rest := report.judged_by[_BASES:]:
        page.add(f"and {len(rest):,} more\n\n", page.part(0.1))


def _summary(page: Page, report: Report) -> None:
    head = "| Environment | Objects | Lines | Impact | Remarks |\n|---|---|---|---|---|\n"
    rows = [_row(environment) for environment in report.environments]
    page.add_rows(
        head,
        rows,
        lambda rest: f"| and {rest:,} more | | | | |\n",
        noun="environments",
        reserve=page.part(0.5),
    )


def _row(environment: EnvironmentDiff) -> str:
    lines = phrases.lines_of(environment.added_lines, environment.removed_lines)
    cells = (
        code(environment.name, 80),
        phrases.changes_of(environment),
        lines if environment.changes else "",
        phrases.impact_of(environment),
        prose(clipped(phrases.remark_of(environment), 160)),
    )
    return f"| {' | '.join(cells)} |\n"


def _files(page: Page, report: Report) -> None:
    rows = [f"- {item.action.value} {prose(clipped(item.path, 200))}\n" for item in report.files]
    _list(page, "**Files**, beside the objects\n\n", rows, "files", 0.3)


def _impact(page: Page, report: Report) -> None:
    """Errors of every environment before the first warning: the end may be cut."""
    found = list(report.every_finding)
    found.sort(key=lambda entry: list(Severity).index(entry[1].severity))
    several = len(report.environments) > 1
    rows = [
        f"- {code(name, 80) + ': ' if several and name else ''}{_finding(finding)}\n"
        for name, finding in found
    ]
    _list(page, "**Impact**\n\n", rows, "findings", 0.2)


def _finding(finding: Finding) -> str:
    place = f" {code(str(finding.resource))}" if finding.resource else ""
    message = prose(clipped(finding.message, 1_000))
    return f"**{finding.severity.value}** {code(finding.rule)}{place}: {message}"


def _problems(page: Page, report: Report) -> None:
    found = phrases.shown(report)
    rows = [
        f"- **{problem.severity.value}** {code(problem.rule)}"
        f"{' ' + code(problem.environment, 80) if problem.environment else ''}: "
        f"{prose(clipped(phrases.problem_text(problem), 1_000))}\n"
        for problem in found
    ]
    _list(page, "**Problems**\n\n", rows, "problems", 0.1)
    if aside := phrases.aside(report):
        page.add(f"{prose(aside)}\n\n", page.part(0.1))


def _folded(page: Page, report: Report) -> None:
    rows = [
        f"- {code(environment.name, 80)}: {prose(clipped(phrases.folded_of(environment), 1_000))}\n"
        for environment in report.environments
        if environment.folded
    ]
    heading = "**Folded**: differences that alone do not change what runs\n\n"
    # The summary has counted them already, so a heading without a row says nothing new.
    if rows and page.fits(heading + rows[0], page.part(0.1, 50)):
        _list(page, heading, rows, "environments", 0.1)


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
    by_risk = sorted(
        range(len(places)), key=lambda i: (-places[i][1].risk, places[i][1].key.sort_key, i)
    )
    free = page.left - page.part(0.06) - cost(_opening(heading, len(places))) - cost(_CLOSING)
    chosen, free = _whole(places, by_risk, free)
    for index in by_risk:
        if index not in chosen and free >= _WORTH_CUTTING:
            text = _cut(places[index], free)
            if text:
                chosen[index] = text
                free -= cost(text)
    if chosen:
        page.add(_opening(heading, len(places)))
        for index in by_risk:
            page.add(chosen.get(index, ""))
        page.add(_CLOSING)
    _left_out(page, [places[index] for index in by_risk if index not in chosen], heading)


def _whole(places: Sequence[Place], order: Iterable[int], free: int) -> tuple[dict[int, str], int]:
    chosen: dict[int, str] = {}
    for index in order:
        # Rendering what cannot fit is wasted work with ten thousand objects.
        if free < 40 or len(places[index][1].diff) > free:
            continue
        text = _block(places[index], places[index][1].diff)
        if cost(text) <= free:
            chosen[index] = text
            free -= cost(text)
    return chosen, free


_CLOSING = "</details>\n\n"


def _opening(heading: str, count: int) -> str:
    noun = "object" if count == 1 else "objects"
    return f"<details><summary>{heading}: {count:,} {noun}</summary>\n\n"


def _block(place: Place, diff: str, note: str = "") -> str:
    environment, change = place
    mark = fence(diff)
    return (
        f"{code(environment.name, 80)} {change.action.value} {code(phrases.name_of(change))} "
        f"({phrases.lines_of(change.added_lines, change.removed_lines)})\n\n"
        f"{mark}diff\n{diff}\n{mark}\n\n{note}"
    )


def _cut(place: Place, free: int) -> str:
    """The first lines of a diff with its fence closed and a note; nothing if too few fit."""
    lines = place[1].diff.split("\n")
    mark = fence(place[1].diff)
    note = f"Cut for length: {len(lines):,} more lines of this object.\n\n"
    room = free - cost(_block(place, "", note)) - 2 * (len(mark) - 3)
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
    return _block(place, "\n".join(lines[:taken]), words_left)


def _left_out(page: Page, places: Sequence[Place], heading: str) -> None:
    """As many names as have room, the riskiest first."""
    if not places:
        return
    what = f"{len(places):,} {'diffs' if heading == _CHANGES else 'drifted objects'}"
    shown: list[str] = []
    line = ""
    for environment, change in places[:_MAX_NAMES]:
        shown.append(code(f"{environment.name}: {phrases.name_of(change)}", 120))
        rest = len(places) - len(shown)
        tail = f" and {rest:,} more" if rest else ""
        longer = f"{what} left out for length: {', '.join(shown)}{tail}.\n\n"
        if not page.fits(longer):
            break
        line = longer
    if not line or not page.add(line):
        page.omit(what)
