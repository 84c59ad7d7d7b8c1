"""The report on a terminal, through rich; colours are rich's business, never needed to read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from generator.core.problem import Severity
from generator.core.visible import one_line
from generator.diff.model import Change
from generator.report import phrases
from generator.report.model import EnvironmentDiff, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LINES = {"+": "green", "-": "red", "@": "cyan", "#": "dim"}


def show(report: Report, console: Console, *, diffs: bool = True) -> None:
    """Write the report to the console: summary, impact, problems, then every diff.

    Nothing of the report is read as markup or as a control sequence.
    """
    from rich.text import Text

    title = f"{report.base} → {report.head}"
    console.print(Text(one_line(f"Rendered diff {title}"), style="bold"))
    if report.headline:
        console.print(Text(one_line(f"{report.headline}.")))
    for line in report.judged_by:
        console.print(_dim(f"Judged by {line}"), soft_wrap=True)
    if report.environments:
        console.print(_summary(report))
    for finding in report.impact:
        console.print(
            _marked(finding.severity, f"{finding.rule}: {finding.message}"), soft_wrap=True
        )
    _files(report, console)
    _problems(report, console)
    for environment in report.environments:
        _environment(environment, console, diffs=diffs)


def _summary(report: Report) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for name in ("Environment", "Objects", "Lines", "Impact", "Remarks"):
        table.add_column(name, overflow="fold")
    for item in report.environments:
        lines = phrases.lines_of(item.added_lines, item.removed_lines) if item.changes else ""
        cells = (
            item.name,
            phrases.changes_of(item),
            lines,
            phrases.impact_of(item),
            phrases.remark_of(item),
        )
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table


def _files(report: Report, console: Console) -> None:
    from rich.text import Text

    if report.files:
        console.print(_heading("Files beside the objects"))
    for item in report.files:
        console.print(Text(one_line(f"{item.action.value:<8} {item.path}")), soft_wrap=True)


def _problems(report: Report, console: Console) -> None:
    found = phrases.shown(report)
    if found:
        console.print(_heading("Problems"))
    for problem in found:
        where = f"{problem.environment} " if problem.environment else ""
        text = f"{problem.rule} {where}{phrases.problem_text(problem)}"
        console.print(_marked(problem.severity, text), soft_wrap=True)
    if aside := phrases.aside(report):
        console.print(_dim(aside), soft_wrap=True)


def _environment(item: EnvironmentDiff, console: Console, *, diffs: bool) -> None:
    if item.impact:
        console.print(_heading(f"Impact on {item.name}"))
    for finding in item.impact:
        place = f" {finding.resource}" if finding.resource else ""
        text = f"{finding.rule}{place}: {finding.message}"
        console.print(_marked(finding.severity, text), soft_wrap=True)
    if item.folded:
        console.print(_dim(f"Folded in {item.name}: {phrases.folded_of(item)}"), soft_wrap=True)
    if diffs:
        _changes(item.changes, console, f"Changes of {item.name}")
        _changes(item.drift, console, f"Already different in the cluster of {item.name}")


def _changes(changes: Iterable[Change], console: Console, heading: str) -> None:
    from rich.text import Text

    for index, change in enumerate(changes):
        if index == 0:
            console.print(_heading(heading))
        count = phrases.lines_of(change.added_lines, change.removed_lines)
        title = f"{change.action.value} {phrases.name_of(change)} ({count})"
        text = Text(one_line(title), style="bold")
        for line in change.diff.split("\n"):
            text.append(f"\n{line}", style=f"not bold {_LINES.get(line[:1], '')}")
        console.print(text, soft_wrap=True)


def _heading(text: str) -> Text:
    from rich.text import Text

    return Text(f"\n{one_line(text)}", style="bold underline")


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(one_line(text), style="dim")


def _marked(severity: Severity, text: str) -> Text:
    from rich.text import Text

    return Text.assemble((f"{severity.value:<8}", _STYLES[severity]), one_line(text))
