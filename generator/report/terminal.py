"""The report on a terminal, through rich; colours are rich's business, never needed to read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from generator.core.problem import Problem, Severity
from generator.core.visible import one_line
from generator.diff.model import Change
from generator.report import alike, phrases, story
from generator.report.digests import shortened
from generator.report.marks import marked
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

    report = shortened(report)
    title = f"{report.base} → {report.head}"
    console.print(Text(one_line(f"Rendered diff {title}"), style="bold"))
    console.print(Text(one_line(f"{story.verdict(report)}."), style="bold"), soft_wrap=True)
    for names, text in story.sentences(report):
        console.print(Text(one_line(f"{phrases.names_of(names)}: {text}.")), soft_wrap=True)
    if left := story.not_read(report):
        console.print(Text(one_line(f"{left}.")), soft_wrap=True)
    for line in report.judged_by:
        console.print(_dim(f"Judged by {line}"), soft_wrap=True)
    _definition(report, console)
    _findings(report, console, "Needs a decision", Severity.ERROR)
    _findings(report, console, "Know before the merge", Severity.WARNING)
    _problems(report, console)
    if report.environments:
        console.print()
        console.print(_summary(report))
    _notes(report, console)
    _files(report, console)
    for environment in report.environments:
        _environment(environment, console, diffs=diffs)


def _definition(report: Report, console: Console) -> None:
    from rich.text import Text

    changed = [("gen-env.yaml", report.fields), *((e.name, e.fields) for e in report.environments)]
    for name, fields in changed:
        if fields:
            console.print(_heading(f"Definition: {name}"))
        for path, old, new in map(phrases.field_of, fields):
            console.print(Text(one_line(f"{path}: {old} → {new}")), soft_wrap=True)


def _findings(report: Report, console: Console, heading: str, severity: Severity) -> None:
    found = story.of_severity(report, severity)
    if found:
        console.print(_heading(heading))
    several = len(report.environments) > 1
    for name, finding in found:
        owner = f"{name} " if several and name else ""
        place = f" {finding.resource}" if finding.resource else ""
        text = f"{owner}{finding.rule}{place}: {finding.message}"
        console.print(_marked(finding.severity, text), soft_wrap=True)


def _notes(report: Report, console: Console) -> None:
    """What the change does, then what was found, under one heading."""
    heading, found = "Notes", story.problems(report, Severity.INFO)
    _findings(report, console, heading, Severity.INFO)
    if found and not story.of_severity(report, Severity.INFO):
        console.print(_heading(heading))
    _listed(found, console)


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
    found = story.problems(report, Severity.ERROR, Severity.WARNING)
    if found:
        console.print(_heading(phrases.heading_of(found)))
    _listed(found, console)
    if aside := phrases.aside(report):
        console.print(_dim(aside), soft_wrap=True)


def _listed(problems: Iterable[Problem], console: Console) -> None:
    for problem in problems:
        where = f"{problem.environment} " if problem.environment else ""
        text = f"{problem.rule} {where}{phrases.problem_text(problem)}"
        console.print(_marked(problem.severity, text), soft_wrap=True)


def _environment(item: EnvironmentDiff, console: Console, *, diffs: bool) -> None:
    if item.folded:
        console.print(_dim(f"Folded in {item.name}: {phrases.folded_of(item)}"), soft_wrap=True)
    if diffs:
        _changes(item.changes, console, f"Changes of {item.name}")
        _changes(item.drift, console, f"Already different in the cluster of {item.name}")


def _changes(changes: Sequence[Change], console: Console, heading: str) -> None:
    from rich.text import Text

    if changes:
        console.print(_heading(heading))
    for change, others in alike.grouped(changes):
        text = Text(_title(change), style="bold")
        for line, start, end in marked(change.diff):
            style = f"not bold {_LINES.get(line[:1], '')}"
            text.append(f"\n{line[:start]}", style=style)
            text.append(line[start:end], style=f"{style} reverse")
            text.append(line[end:], style=style)
        console.print(text, soft_wrap=True)
        for other in others:
            console.print(Text(f"{_title(other)}: the same image lines"), soft_wrap=True)


def _title(change: Change) -> str:
    count = phrases.lines_of(change.added_lines, change.removed_lines)
    return one_line(f"{change.action.value} {phrases.name_of(change)} ({count})")


def _heading(text: str) -> Text:
    from rich.text import Text

    return Text(f"\n{one_line(text)}", style="bold underline")


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(one_line(text), style="dim")


def _marked(severity: Severity, text: str) -> Text:
    from rich.text import Text

    return Text.assemble((f"{severity.value:<8}", _STYLES[severity]), one_line(text))
