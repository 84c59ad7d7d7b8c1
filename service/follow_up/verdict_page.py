"""A verdict as a page of its own, for whoever follows the link of its status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from generator.verify.result import Verdict

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #8884;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "pre{overflow:auto;background:#8882;padding:.6rem}:root{color-scheme:light dark}"
)


def render(verdict: Verdict) -> str:
    """The page; it needs nothing else, and nothing in it is taken for markup."""
    title = f"{verdict.environment} at {verdict.revision[:12]}: {verdict.outcome.value}"
    parts = [
        f"<h1>{escape(title)}</h1>\n<p>{escape(verdict.message)}</p>\n"
        f"<p>{escape(verdict.basis.line)}</p>\n",
        _table(
            ("Not read", "Where", "Why"),
            ((item.what, item.where, item.reason) for item in verdict.basis.not_read),
        ),
        _table(
            ("Condition", "Status", "What is so", "Evidence", "Since"),
            (
                (item.name, item.state.value, item.message, item.evidence, item.time)
                for item in verdict.conditions
            ),
        ),
        *_causes(verdict),
        _table(
            ("Object", "Health", "Message"),
            (
                (
                    f"{item.key.kind} {item.key.name}",
                    item.health.status.value,
                    item.health.message,
                )
                for item in verdict.resources
            ),
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        f"{''.join(parts)}</main></body></html>\n"
    )


def _causes(verdict: Verdict) -> Iterator[str]:
    for cause in verdict.causes:
        yield f"<h2>{escape(cause.reason)}: {escape(cause.resource)}</h2>\n"
        yield f"<p>{escape(cause.message)}</p>\n"
        if cause.log:
            yield f"<pre>{escape(chr(10).join(cause.log))}</pre>\n"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    listed = [_row("td", row) for row in rows]
    if not listed:
        return ""
    return f"<table>\n{_row('th', heads)}{''.join(listed)}</table>\n"


def _row(tag: str, cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"
