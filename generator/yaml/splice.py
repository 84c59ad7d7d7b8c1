"""One piece of a written document replaced, added or removed: every other byte stays.

Each gives candidates, best first, for `edit` to prove: an unusual layout may make a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.core.layered import Path
from generator.yaml.reader import Document, Mark
from generator.yaml.scalars import Plain
from generator.yaml.writer import Layout, source

# Strings that are as safe without quotes as the old value was, beyond what `source` dares.
_BARE = re.compile(r"[A-Za-z/._][!$%&()*+./0-9:;<=>?@A-Z\\^_a-z|~-]*|[0-9]+(?:\.[0-9]+){2}")
_DASH = re.compile(r"-[ \t]*(?:#[^\r\n]*)?[\s]*\Z")
_COMMENTS = re.compile(r"(?:(?:\r\n|\r|\n)[ \t]*(?:#[^\r\n]*)?)+\Z")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_INDENT = re.compile(r"[\r\n]( +)\S")
_ONE_LINE = Layout(flow=True)


def replaced(document: Document, path: Path, new: Any) -> Iterator[str]:
    """Any value in the place of any other."""
    text, mark, end = document.text, document.marks[path], _end(document, path)
    single = not isinstance(new, dict | list) or not new
    if (single and mark.kind == "scalar") or _in_flow(document, path):
        # An empty value stands right behind its colon or dash.
        gap = " " if mark.start == end else ""
        for written in _in_line(document, mark, new):
            yield text[: mark.start] + gap + written + text[end:]
    elif not path or isinstance(path[-1], int):
        written = source(new, _ONE_LINE) if single else _block(document, new, mark.column).strip()
        yield text[: mark.start] + written + text[end:]
    else:
        colon, rest = text.index(":", mark.key_end) + 1, _line_end(text, end)
        line = text[end:rest] if mark.kind == "scalar" else text[colon : _line_end(text, colon)]
        if single:
            yield f"{text[:colon]} {source(new, _ONE_LINE)}{line}{text[rest:]}"
            return
        kind = "mapping" if isinstance(new, dict) else "sequence"
        column = document.marks[path[:-1]].column + document.step(kind)
        column = mark.column if mark.kind == kind else column
        yield _ended(document, text[:colon] + line) + _block(document, new, column) + text[rest:]


def inserted(document: Document, path: Path, new: Any) -> Iterator[str]:
    """A key, or an item at the end of a list, in a collection that is written out."""
    text, above = document.text, path[:-1]
    if not document.marks:
        yield _ended(document, text) + _block(document, new, 0)
        return
    parent = document.marks[above]
    entry = {path[-1]: new} if isinstance(path[-1], str) else [new]
    if _in_flow(document, above):
        new, close = source(entry, _ONE_LINE)[1:-1], parent.end - 1
        ends = [_end(document, item) for item in document.marks if item[:-1] == above != item]
        if ends:
            yield f"{text[: max(ends)]}, {new}{text[max(ends) :]}"
        yield from (text[:close].rstrip() + joint + new + text[close:] for joint in ("", ", "))
    else:
        at = _line_end(text, _end(document, above))
        yield _ended(document, text[:at]) + _block(document, entry, parent.column) + text[at:]


def removed(document: Document, path: Path, _: Any) -> Iterator[str]:
    """A mapping or list without one of several entries."""
    text, mark, end = document.text, document.marks[path], _end(document, path)
    later = [other.key_start for item, other in document.marks.items()
             if item[:-1] == path[:-1] != item and other.key_start > mark.key_start]  # fmt: skip
    start = _entry_start(text, path, mark.key_start)
    following = _entry_start(text, path, min(later)) if later else 0
    first = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    first += text.startswith("\ufeff", first)
    if _in_flow(document, path[:-1]):
        start = start if following else text.rfind(",", 0, start)
        yield text[:start] + text[following or end :]
    elif not text[first:start].strip(" \t"):
        yield text[:first] + text[_line_end(text, end) :]
    elif following:
        # `- a: 1`: the dash belongs to the item and stays for the next key.
        yield text[:start] + text[following:]


def _in_line(document: Document, mark: Mark, new: Any) -> Iterator[str]:
    """A value for the place of another: a string in the old one's quotes if they can hold it."""
    if isinstance(new, str) and not isinstance(new, Plain):
        if mark.style in ("|", ">") and "\n" in new:
            indent = _INDENT.search(document.text, mark.start, mark.end)
            column = len(indent[1]) if indent else mark.column + 2
            yield _broken(document, source({"": new}, Layout(step=column)).partition(": ")[2])
        if mark.style == '"' or (mark.style == "'" and new.isprintable()):
            yield source(new, Layout(flow=True, quote=mark.style))
        elif mark.style != "'" and _BARE.fullmatch(new):
            yield source(Plain(new), _ONE_LINE)
    yield source(new, _ONE_LINE)
    yield source(new, Layout(flow=True, quote='"'))


def _block(document: Document, value: Any, column: int) -> str:
    """The value as lines at that column, indented as the document is."""
    layout = Layout(step=document.step("mapping"), list_step=document.step("sequence"))
    lines = [" " * column + line if line else "" for line in source(value, layout).split("\n")]
    return _broken(document, "\n".join(lines) + "\n")


def _in_flow(document: Document, path: Path) -> bool:
    """Whether the value stands inside `{...}` or `[...]`, or is such a collection itself."""
    ancestors = [document.marks[path[:length]] for length in range(len(path) + 1)]
    return any(mark.flow for mark in ancestors)


def _end(document: Document, path: Path) -> int:
    """The offset just after the last character of a value, comments and blank lines left out."""
    text, mark = document.text, document.marks[path]
    if mark.kind in ("mapping", "sequence") and not mark.flow:
        leaves = [item for item, other in document.marks.items() if item[: len(path)] == path
                  and (other.flow or other.kind in ("scalar", "alias"))]  # fmt: skip
        # A merge has no mark of its own; what is no comment still belongs to the block.
        last = mark.start + len(_COMMENTS.sub("", text[mark.start : mark.end]))
        return max([last, *(_end(document, item) for item in leaves)])
    if mark.style not in ("|", ">"):
        return mark.end
    block = text[mark.start : mark.end]
    if "+" in block.splitlines()[0].partition("#")[0]:
        # Every line break but the last is part of the value.
        return mark.start + len(block.removesuffix("\n").removesuffix("\r"))
    return mark.start + len(block.rstrip(" \t\r\n"))


def _entry_start(text: str, path: Path, key: int) -> int:
    dash = _DASH.search(text, 0, key) if isinstance(path[-1], int) else None
    return dash.start() if dash else key


def _line_end(text: str, offset: int) -> int:
    return next(match.end() for match in _LINE.finditer(text, offset))


def _ended(document: Document, text: str) -> str:
    """The text with a line break at its end, if there is anything in it."""
    return text if text in ("", "\ufeff") or text[-1] in "\r\n" else text + _broken(document, "\n")


def _broken(document: Document, text: str) -> str:
    """The text with the document's line breaks in the place of its own."""
    return text.replace("\n", "\r\n" if "\r\n" in document.text else "\n")
