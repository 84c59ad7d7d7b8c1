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

from generator.core.problem import Problem, Severity
from generator.core.visible import one_line, visible
from generator.diff.model import Change
from generator.impact.finding import Finding
from generator.report import phrases
from generator.report.model import EnvironmentDiff, FileChange, Report

# So many lines are shown open at the start; more would bury the summary.
_OPEN_LINES = 400
_LINES = {"+": "a", "-": "r", "@": "h", "#": "n"}
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    """The whole page as text, to be written as UTF-8."""
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
    if report.verdict:
        yield f"<p><strong>{_text(report.verdict)}</strong></p>"
    if report.headline:
        yield f"<p>{_text(report.headline)}.</p>"
    for line in report.judged_by:
        yield f'<p class="quiet">Judged by {_text(line)}</p>'
    yield from _summary(report.environments)
    yield from _files(report.files)
    yield from _impact(report)
    yield from _problems(report)
    is_open = _is_short(report)
    for number, environment in enumerate(report.environments):
        yield from _environment(environment, number, is_open=is_open)
    yield f"</main>{_KEYS}"


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
    if not environments:
        return
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Environment", "Objects", "Lines", "Impact", "Remarks")
    )
    yield "</tr></thead><tbody>"
    for number, item in enumerate(environments):
        lines = _counts(item.added_lines, item.removed_lines) if item.changes else ""
        yield (
            f'<tr><td><a href="#environment-{number}"><code>{_text(item.name)}</code></a></td>'
            f"<td>{_text(phrases.changes_of(item))}</td><td>{lines}</td>"
            f"<td>{_text(phrases.impact_of(item))}</td><td>{_text(phrases.remark_of(item))}</td></tr>"
        )
    yield "</tbody></table></div>"


def _files(files: Sequence[FileChange]) -> Iterator[str]:
    if not files:
        return
    yield "<section><h2>Files beside the objects</h2><ul>"
    for item in files:
        action = item.action.value
        badge = f'<span class="action {action}">{action}</span>'
        yield f"<li>{badge} <code>{_text(item.path)}</code></li>"
    yield "</ul></section>"


def _impact(report: Report) -> Iterator[str]:
    found = report.every_finding
    if not found:
        return
    several = len(report.environments) > 1
    yield '<section><h2>Impact</h2><ul class="findings">'
    for name, finding in found:
        yield _finding(finding, name if several else "")
    yield "</ul></section>"


def _finding(finding: Finding, environment: str) -> str:
    return _item(
        finding.severity,
        finding.rule,
        (environment, str(finding.resource or "")),
        finding.message,
    )


def _problems(report: Report) -> Iterator[str]:
    found, aside = phrases.shown(report), phrases.aside(report)
    if not found and not aside:
        return
    yield '<section><h2>Problems</h2><ul class="findings">'
    for problem in found:
        yield _problem(problem)
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
        f'{where}<code class="rule">{_text(rule)}</code><p>{_text(message)}</p></li>'
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
    yield from _changes(item.changes, is_open=is_open)
    yield "</section>"
    if item.drift:
        yield "<section><h3>Already different in the cluster, not by this change</h3>"
        yield from _changes(item.drift, is_open=False)
        yield "</section>"


def _changes(changes: Iterable[Change], *, is_open: bool) -> Iterator[str]:
    for change in changes:
        yield (
            f'<details class="change"{" open" if is_open else ""}><summary>'
            f'<span class="action {change.action.value}">{change.action.value}</span> '
            f"<code>{_text(phrases.name_of(change))}</code> "
            f"{_counts(change.added_lines, change.removed_lines)}</summary>"
            f"<pre>{''.join(_line(line) for line in change.diff.split(_NEWLINE))}</pre></details>"
        )


_NEWLINE = "\n"


def _line(line: str) -> str:
    kind = _LINES.get(line[:1], "c")
    return f'<span class="{kind}">{_text(line)}\n</span>'


def _counts(added: int, removed: int) -> str:
    return (
        f'<span class="plus">+{added:,}</span> <span class="minus">\N{MINUS SIGN}{removed:,}</span>'
    )


def _is_short(report: Report) -> bool:
    changes = [change for item in report.environments for change in item.changes]
    return sum(change.added_lines + change.removed_lines for change in changes) <= _OPEN_LINES


def _text(text: str) -> str:
    return html.escape(visible(text))


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
