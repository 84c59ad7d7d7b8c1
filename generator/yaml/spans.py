"""Where the pieces of a written document begin and end, for edits that leave the rest alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.yaml.document import Document, Mark, Path

_TRAILING = re.compile(r"(?:(?:\r\n|\r|\n)[ \t]*(?:#[^\r\n]*)?)+\Z")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def newline(text: str) -> str:
    """The line break that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def step(document: Document) -> int:
    """How far the document indents a mapping below its key: the first such place, otherwise 2."""
    return next(_offsets(document, "mapping"), 2)


def list_step(document: Document) -> int:
    """How far the document indents a list below its key: the first such place, otherwise 0."""
    return next(_offsets(document, "sequence"), 0)


def _offsets(document: Document, kind: str) -> Iterator[int]:
    marks = sorted(document.marks.items(), key=lambda item: item[1].start)
    for path, mark in marks:
        parent = document.marks.get(path[:-1]) if path and isinstance(path[-1], str) else None
        if parent and mark.kind == kind and not mark.flow and mark.line != mark.key_line:
            yield mark.column - parent.column


def in_flow(document: Document, path: Path) -> bool:
    """Whether the value stands inside `{...}` or `[...]`, or is such a collection itself."""
    ancestors = (document.marks.get(path[:length]) for length in range(len(path) + 1))
    return any(mark.flow for mark in ancestors if mark)


def content_end(document: Document, path: Path) -> int:
    """The offset just after the last character of a value, comments and blank lines left out."""
    mark = document.marks[path]
    if mark.kind == "scalar" or mark.kind == "alias":
        return _scalar_end(document.text, mark)
    if mark.flow:
        return mark.end
    inner = [
        _scalar_end(document.text, other) if other.kind in ("scalar", "alias") else other.end
        for below, other in document.marks.items()
        if below[: len(path)] == path and (other.kind in ("scalar", "alias") or other.flow)
    ]
    # A merge has no mark of its own; what is no comment still belongs to the block.
    return max([*inner, _without_comments(document.text, mark)])


def line_end(text: str, offset: int) -> int:
    """The offset after the line break that ends the line of `offset`."""
    match = _LINE.match(text, offset)
    return match.end() if match else len(text)


def line_start(text: str, offset: int) -> int:
    """The offset at which the line of `offset` starts, after a byte order mark."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return 1 if start == 0 and text.startswith("\ufeff") else start


def _scalar_end(text: str, mark: Mark) -> int:
    if mark.style not in ("|", ">"):
        return mark.end
    header = text[mark.start : mark.end].splitlines()[0]
    if "+" in header.partition("#")[0]:
        return _before_break(text, mark.end)
    return mark.start + len(text[mark.start : mark.end].rstrip(" \t\r\n"))


def _before_break(text: str, offset: int) -> int:
    """The offset before the line break that ends there, if one does."""
    if text.startswith("\r\n", offset - 2):
        return offset - 2
    return offset - 1 if text[offset - 1 : offset] in ("\n", "\r") else offset


def _without_comments(text: str, mark: Mark) -> int:
    return mark.start + len(_TRAILING.sub("", text[mark.start : mark.end]))
