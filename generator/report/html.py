"""The report as one HTML page that needs nothing else: no network, no server, no script to read it.

Every text is escaped, style and script are allowed by their hash only, so that even a mistake in
the escaping runs nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources

from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.core.visible import one_line, visible
from generator.diff.model import Action, Change
from generator.impact.finding import Finding
from generator.report import alike, phrases, story
from generator.report.digests import shortened
from generator.report.marks import Marked, marked
from generator.report.model import EnvironmentDiff, FileChange, Report

# So many lines are shown open at the start; more would bury the summary.
_OPEN_LINES = 400
# With fewer objects a list to jump to them is no help.
_FEW_OBJECTS = 3
_LINES = {"+": "a", "-": "r", "@": "h", "#": "n"}
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    """The whole page as text, to be written as UTF-8."""
    report = shortened(report)
    style, script = _asset("page.css"), _asset("page.js")
    title = one_line(f"{report.base} → {report.head}")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>Rendered diff {_text(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *_body(report),
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


def _body(report: Report) -> Iterator[str]:
    yield '<a class="skip" href="#content">Skip to the content</a>'
    yield "<header><h1>Rendered diff</h1>"
    yield (
        f'<p class="quiet">from <code>{_text(report.base)}</code> '
        f"to <code>{_text(report.head)}</code></p></header>"
    )
    yield _TOOLS
    yield '<main id="content">'
    yield from _story(report)
    yield from _jumps(report.environments)
    yield from _definition(report)
    yield from _findings(report, "Needs a decision", Severity.ERROR)
    yield from _findings(report, "Know before the merge", Severity.WARNING)
    yield from _problems(report)
    yield from _summary(report.environments)
    yield from _notes(report)
    yield from _flows(report)
    yield from _files(report.files)
    is_open = _is_short(report)
    for number, environment in enumerate(report.environments):
        yield from _environment(environment, number, is_open=is_open)
    yield f"</main>{_KEYS}"


def _story(report: Report) -> Iterator[str]:
    """What a reviewer must know, and what it is based on."""
    yield '<section class="story">'
    if report.verdict:
        yield f"<p><strong>{_text(report.verdict)}</strong></p>"
    yield f"<p><strong>{_text(story.verdict(report))}.</strong></p>"
    for names, text in story.sentences(report):
        yield f"<p><code>{_text(', '.join(names))}</code> {_prose(text)}.</p>"
    if left := story.not_read(report):
        yield f"<p>{_text(left)}.</p>"
    for line in report.judged_by:
        yield f'<p class="quiet">Judged by {_text(line)}</p>'
    yield "</section>"


def _jumps(environments: Sequence[EnvironmentDiff]) -> Iterator[str]:
    """A list of the objects, each a link to its diff."""
    count = sum(len(item.changes) for item in environments)
    if count < _FEW_OBJECTS:
        return
    yield f'<nav aria-label="Objects"><details><summary>{count:,} objects</summary>'
    for number, item in enumerate(environments):
        if item.changes:
            yield f"<p><code>{_text(item.name)}</code></p><ul>"
            for index, change in enumerate(item.changes):
                moved = change.action is not Action.MODIFIED
                yield (
                    f'<li><a href="#object-{number}-{index}">{_text(change.key.kind)} '
                    f"{_text(change.key.name)}</a> {_action(change.action) if moved else ''}</li>"
                )
            yield "</ul>"
    yield "</details></nav>"


def _definition(report: Report) -> Iterator[str]:
    shown = [("gen-env.yaml", report.fields), *((e.name, e.fields) for e in report.environments)]
    if not any(fields for _, fields in shown):
        return
    yield "<section><h2>Definition</h2>"
    for name, fields in shown:
        if fields:
            yield from _table(
                ("Field", "Before", "After"),
                (
                    [f"<code>{_text(text)}</code>" for text in phrases.field_of(field)]
                    for field in fields
                ),
                caption=name,
            )
    yield "</section>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> Iterator[str]:
    """A table whose cells name their column, so that narrow screens can stack them."""
    yield "<table>"
    if caption:
        yield f"<caption><code>{_text(caption)}</code></caption>"
    titles = "".join(f'<th scope="col">{name}</th>' for name in heads)
    yield f"<thead><tr>{titles}</tr></thead><tbody>"
    for row in rows:
        cells = zip(heads, row, strict=True)
        shown = "".join(f'<td data-label="{name}">{cell}</td>' for name, cell in cells)
        yield f"<tr>{shown}</tr>"
    yield "</tbody></table>"


_TOOLS = (
    '<div class="tools" role="search" hidden>'
    '<input type="search" id="search" placeholder="Search objects and text" '
    'aria-label="Search objects and text" aria-keyshortcuts="/" autocomplete="off">'
    '<button type="button" id="expand" aria-keyshortcuts="e">Expand all</button>'
    '<span id="found" class="quiet" role="status"></span></div>'
)
_KEYS = (
    "<footer><p><kbd>j</kbd> <kbd>k</kbd> next and previous object · <kbd>Enter</kbd> open or "
    "close it · <kbd>e</kbd> open or close all · <kbd>/</kbd> search · <kbd>Esc</kbd> end the "
    "search</p></footer>"
)


def _summary(environments: Sequence[EnvironmentDiff]) -> Iterator[str]:
    if environments:
        yield from _table(
            ("Environment", "Objects", "Lines", "Impact", "Remarks"),
            (_row(number, item) for number, item in enumerate(environments)),
        )


def _row(number: int, item: EnvironmentDiff) -> Sequence[str]:
    return (
        f'<a href="#environment-{number}"><code>{_text(item.name)}</code></a>',
        _text(phrases.changes_of(item)),
        _counts(item.added_lines, item.removed_lines) if item.changes else "",
        _text(phrases.impact_of(item)),
        _text(phrases.remark_of(item)),
    )


def _files(files: Sequence[FileChange]) -> Iterator[str]:
    if files:
        yield f"<details><summary>{counted(len(files), 'file')} beside the objects</summary><ul>"
        yield from (
            f"<li>{_action(item.action)} <code>{_text(item.path)}</code></li>" for item in files
        )
        yield "</ul></details>"


def _findings(report: Report, heading: str, severity: Severity) -> Iterator[str]:
    if rows := _rows(report, severity):
        yield f'<section><h2>{heading}</h2><ul class="findings">'
        yield from rows
        yield "</ul></section>"


def _rows(report: Report, severity: Severity) -> list[str]:
    several = len(report.environments) > 1
    return [
        _finding(finding, name if several else "")
        for name, finding in story.of_severity(report, severity)
    ]


def _notes(report: Report) -> Iterator[str]:
    notes = map(_problem, story.problems(report, Severity.INFO))
    if rows := [*_rows(report, Severity.INFO), *notes]:
        title = counted(len(rows), "note")
        yield f'<details><summary>{title}</summary><ul class="findings">'
        yield from rows
        yield "</ul></details>"


def _flows(report: Report) -> Iterator[str]:
    count, flows = phrases.flows_of(report)
    several = len(report.environments) > 1
    if flows:
        title = counted(count, "change") if count else "not read"
        yield f"<details><summary>Who may talk to whom: {title}</summary><ul>"
        for name, text in flows:
            owner = f"<code>{_text(name)}</code> " if several else ""
            yield f"<li>{owner}{_text(text)}</li>"
        yield "</ul></details>"


def _finding(finding: Finding, environment: str) -> str:
    return _item(
        finding.severity,
        finding.rule,
        (environment, str(finding.resource or "")),
        finding.message,
    )


def _problems(report: Report) -> Iterator[str]:
    found = story.problems(report, Severity.ERROR, Severity.WARNING)
    aside = phrases.aside(report)
    if not found and not aside:
        return
    yield "<section>"
    if found:
        yield f'<h2>{_text(phrases.heading_of(found))}</h2><ul class="findings">'
        yield from map(_problem, found)
        yield "</ul>"
    if aside:
        yield f'<details><summary>{_text(aside)}</summary><ul class="findings">'
        yield from (_problem(item) for item in report.every_problem if item.is_aside)
        yield "</ul></details>"
    yield "</section>"


def _problem(problem: Problem) -> str:
    return _item(
        problem.severity, problem.rule, (problem.environment,), phrases.problem_text(problem)
    )


def _item(severity: Severity, rule: str, places: Iterable[str], message: str) -> str:
    where = "".join(f"<code>{_text(place)}</code>" for place in places if place)
    return (
        f'<li class="{severity.value}"><span class="badge">{_SEVERITIES[severity]}</span>'
        f'{where}<code class="rule">{_text(rule)}</code><p>{_prose(message)}</p></li>'
    )


def _environment(item: EnvironmentDiff, number: int, *, is_open: bool) -> Iterator[str]:
    yield f'<section id="environment-{number}"><h2><code>{_text(item.name)}</code></h2>'
    remark = phrases.remark_of(item)
    if remark:
        yield f'<p class="quiet">{_text(remark)}</p>'
    if item.folded:
        yield f'<p class="quiet">Folded: {_text(phrases.folded_of(item))}</p>'
    if not item.changes:
        yield f"<p>Objects: {_text(phrases.changes_of(item))}.</p>"
    yield from _changes(item.changes, is_open=is_open, prefix=f"object-{number}")
    yield "</section>"
    if item.drift:
        yield "<section><h3>Already different in the cluster, not by this change</h3>"
        yield from _changes(item.drift, is_open=False, prefix=f"drift-{number}")
        yield "</section>"


def _changes(changes: Sequence[Change], *, is_open: bool, prefix: str) -> Iterator[str]:
    """What only exchanges the same images as an object before it is closed and says so."""
    leaders = {id(other): first for first, others in alike.grouped(changes) for other in others}
    for index, change in enumerate(changes):
        first = leaders.get(id(change))
        note = f" the same image lines as in {_text(str(first.key))}" if first else ""
        yield (
            f'<details class="change"{" open" if is_open and not first else ""}><summary>'
            f"{_action(change.action)} "
            f"<code>{_text(phrases.name_of(change))}</code> "
            f'{_counts(change.added_lines, change.removed_lines)}<span class="quiet">{note}</span>'
            f'</summary><pre id="{prefix}-{index}">'
            f"{''.join(map(_line, marked(change.diff)))}</pre></details>"
        )


def _action(action: Action) -> str:
    return f'<span class="action {action.value}">{action.value}</span>'


def _line(item: Marked) -> str:
    line, start, end = item
    kind = _LINES.get(line[:1], "c")
    middle = f"<mark>{_text(line[start:end])}</mark>" if start < end else ""
    return f'<span class="{kind}">{_text(line[:start])}{middle}{_text(line[end:])}\n</span>'


def _counts(added: int, removed: int) -> str:
    return (
        f'<span class="plus">+{added:,}</span> <span class="minus">\N{MINUS SIGN}{removed:,}</span>'
    )


def _is_short(report: Report) -> bool:
    changes = [change for item in report.environments for change in item.changes]
    return sum(change.added_lines + change.removed_lines for change in changes) <= _OPEN_LINES


def _text(text: str) -> str:
    return html.escape(visible(text))


def _prose(text: str) -> str:
    """A sentence; what it has in pairs of backticks is code."""
    parts = _text(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; "
        f"script-src 'sha256-{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@functools.cache
def _asset(name: str) -> str:
    return resources.files("generator.report").joinpath("assets", name).read_text("utf-8")
