"""Candidate texts for one edit: each puts the goal's value in the place of the old one.

They come best first; `edit` takes the first that reads back as the goal, so a candidate may be
wrong for unusual layouts, but never unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.yaml import data, writer
from generator.yaml.reader import Document, Mark, Path
from generator.yaml.scalars import Plain

# Strings that are as safe without quotes as the old value was, beyond what `dump` dares.
_BARE = re.compile(r"[A-Za-z/._][!$%&()*+./0-9:;<=>?@A-Z\\^_a-z|~-]*")
# No dialect takes three numbers with points for anything but a string.
_RELEASE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_TRAILING = re.compile(r"(?:(?:\r\n|\r|\n)[ \t]*(?:#[^\r\n]*)?)+\Z")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_DASH = re.compile(r"-[ \t]*(?:#[^\r\n]*)?[\s]*\Z")


def scalar_replaced(document: Document, path: Path, goal: Any) -> Iterator[str]:
    """A scalar in the place of a scalar."""
    mark, new = document.marks[path], data.get(goal, path)
    text, end = document.text, content_end(document, path)
    if mark.style in ("|", ">") and isinstance(new, str):
        yield from _block_replaced(document, mark, end, new)
    for source in _sources(mark, new):
        # An empty value stands right behind its colon or dash.
        for padding in ("", " ") if mark.start < end else (" ", ""):
            yield text[: mark.start] + padding + source + text[end:]


def value_replaced(document: Document, path: Path, goal: Any) -> Iterator[str]:
    """Any value in the place of any other."""
    mark, new = document.marks[path], data.get(goal, path)
    text, end = document.text, content_end(document, path)
    single = not isinstance(new, dict | list) or not new
    if mark.kind == "scalar" and not isinstance(new, dict | list):
        yield from scalar_replaced(document, path, goal)
    elif in_flow(document, path) or (single and mark.kind == "scalar"):
        padding = " " if mark.start == end else ""
        yield text[: mark.start] + padding + _one_line(new) + text[end:]
    elif path and isinstance(path[-1], str):
        yield from _entry_replaced(document, path, new)
    else:
        source = _one_line(new) if single else _block(document, new, mark.column).lstrip(" ")
        yield text[: mark.start] + source.rstrip("\r\n") + text[end:]


def value_inserted(document: Document, path: Path, goal: Any) -> Iterator[str]:
    """A key, or an item at the end of a list, in a collection that is written out."""
    if not document.marks:
        yield _with_break(document.text) + _block(document, goal, 0)
        return
    parent = document.marks[path[:-1]]
    entry: Any = data.get(goal, path)
    entry = {path[-1]: entry} if isinstance(path[-1], str) else [entry]
    if parent.kind == "alias":
        return
    if in_flow(document, path[:-1]):
        yield from _inserted_in_flow(document, path[:-1], writer.flow_source(entry)[1:-1])
        return
    at = line_end(document.text, content_end(document, path[:-1]))
    before = _with_break(document.text[:at])
    yield before + _block(document, entry, parent.column) + document.text[at:]


def value_removed(document: Document, path: Path, goal: Any) -> Iterator[str]:
    """The rest of a mapping or list without one of its entries."""
    if not data.get(goal, path[:-1]):
        yield from value_replaced(document, path[:-1], goal)
        return
    text, mark = document.text, document.marks[path]
    following = _next_sibling(document, path)
    if in_flow(document, path[:-1]):
        yield from _removed_from_flow(document, path, following)
        return
    start, end = _entry_start(text, path, mark), content_end(document, path)
    first = line_start(text, start)
    if text[first:start].strip(" \t"):
        # `- a: 1`: the dash belongs to the item and stays for the next key.
        if following:
            yield text[:start] + text[_entry_start(text, path, following) :]
        return
    yield text[:first] + text[line_end(text, end) :]


def _sources(mark: Mark, new: Any) -> list[str]:
    if new is None or isinstance(new, Plain):
        return ["null" if new is None else str(new)]
    double = writer.quoted(new)
    if mark.style == '"':
        return [double]
    if mark.style == "'" and "\\" not in double.replace('\\"', ""):
        return ["'" + new.replace("'", "''") + "'", double]
    bare = [new] if _BARE.fullmatch(new) or _RELEASE.fullmatch(new) else []
    return [*bare, writer.scalar_source(new), double]


def _block_replaced(document: Document, mark: Mark, end: int, new: str) -> Iterator[str]:
    lines = document.text[mark.start : end].splitlines()[1:]
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" "))] or " " * (mark.column + 2)
    if "\n" in new and (block := writer.block(new, indent)) is not None:
        block = block.replace("\n", newline(document.text))
        yield document.text[: mark.start] + block + document.text[end:]


def _entry_replaced(document: Document, path: Path, new: Any) -> Iterator[str]:
    """A block value in place of what follows a key, or a single one in place of a block."""
    text, mark = document.text, document.marks[path]
    colon = text.index(":", mark.key_end) + 1
    end = content_end(document, path)
    if mark.kind == "scalar":
        head = text[:colon] + text[end : line_end(text, end)]
    else:
        head = text[: line_end(text, colon)]
    tail = text[line_end(text, end) :]
    if not isinstance(new, dict | list) or not new:
        yield f"{text[:colon]} {_one_line(new)}{head[colon:]}{tail}"
        return
    column = document.marks[path[:-1]].column
    if mark.kind != "scalar" and isinstance(new, dict) == (mark.kind == "mapping"):
        column = mark.column
    else:
        column += step(document) if isinstance(new, dict) else list_step(document)
    yield _with_break(head) + _block(document, new, column) + tail


def _inserted_in_flow(document: Document, path: Path, source: str) -> Iterator[str]:
    text, mark = document.text, document.marks[path]
    inner = [
        content_end(document, below)
        for below in document.marks
        if below[:-1] == path and below != path
    ]
    if inner:
        yield f"{text[: max(inner)]}, {source}{text[max(inner) :]}"
    for joint in ("", ", "):
        yield text[: mark.end - 1].rstrip() + joint + source + text[mark.end - 1 :]


def _removed_from_flow(document: Document, path: Path, following: Mark | None) -> Iterator[str]:
    text, mark = document.text, document.marks[path]
    if following:
        yield text[: mark.key_start] + text[following.key_start :]
        return
    comma = text.rfind(",", 0, mark.key_start)
    yield text[:comma] + text[content_end(document, path) :]


def _next_sibling(document: Document, path: Path) -> Mark | None:
    here = document.marks[path]
    later = [
        mark
        for other, mark in document.marks.items()
        if other and other[:-1] == path[:-1] and mark.key_start > here.key_start
    ]
    return min(later, key=lambda mark: mark.key_start, default=None)


def _entry_start(text: str, path: Path, mark: Mark) -> int:
    if isinstance(path[-1], str):
        return mark.key_start
    dash = _DASH.search(text, 0, mark.key_start)
    return dash.start() if dash else mark.key_start


def _block(document: Document, value: Any, column: int) -> str:
    """The value as lines at that column, with the line break of the document."""
    steps = step(document), list_step(document)
    source = writer.dump_source(value, step=steps[0], list_step=steps[1])
    lines = [" " * column + line if line.strip() else line for line in source.splitlines(True)]
    return "".join(lines).replace("\n", newline(document.text))


def _one_line(value: Any) -> str:
    return writer.flow_source(value)


def _with_break(text: str) -> str:
    if not text or text == "\ufeff" or text.endswith(("\n", "\r")):
        return text
    return text + newline(text)


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
