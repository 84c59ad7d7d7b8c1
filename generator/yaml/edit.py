"""Edits in a file that people wrote: the new value goes in, every other byte stays.

Each edit is proved before it is given back: the new text is read again, and everything but the
edited value must be what it was. Read files as bytes and decode them: text mode would change CRLF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from generator.yaml import data, reader, splice
from generator.yaml.data import MISSING, alike, as_read
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document, Path

_Edit = Callable[[Document, Path, Any], Iterator[str]]


def set_scalar(text: str, path: Path, value: Any, *, file: str = "") -> str:
    """The text with another scalar at `path`, in the quotes and the layout of the old one.

    A `str` is read back as a string, quoted where it must be; a `Plain` goes in unquoted, as do
    numbers, booleans and None. Raises YamlError when there is no scalar at `path` or the change
    would reach further than it.
    """
    document = reader.read(text, file)
    mark = document.marks.get(path)
    if mark is None or mark.kind != "scalar" or isinstance(value, dict | list | tuple):
        raise _refusal(document, path, "it is not one value that is written out here")
    return _proved(document, path, _goal(document, path, value), splice.scalar_replaced)


def set_value(text: str, path: Path, value: Any, *, file: str = "") -> str:
    """The text with any value at `path`; keys that are missing on the way are added.

    A mapping is merged into the mapping that is there key by key, its other keys removed, so that
    comments and order survive. A list index may be one past the end. Raises YamlError as
    `set_scalar` does.
    """
    document = reader.read(text, file)
    present, wanted = data.get(document.data, path), as_read(value)
    if isinstance(present, dict) and isinstance(wanted, dict) and present and wanted:
        return _merged(text, path, present, wanted, file)
    if isinstance(present, list) and isinstance(wanted, list) and 0 < len(present) <= len(wanted):
        for index, item in enumerate(wanted):
            text = set_value(text, (*path, index), item, file=file)
        return text
    goal = _goal(document, path, value)
    place = _written(document, path)
    if place == path or (place is not None and data.get(document.data, place) is None):
        return _proved(document, place, goal, splice.value_replaced)
    # The shortest path that is not written out: it takes all that is missing below it.
    target = path[: len(place) + 1] if place is not None else ()
    return _proved(document, target, goal, splice.value_inserted)


def remove(text: str, path: Path, *, file: str = "") -> str:
    """The text without the key or list item at `path`; unchanged when it is not there.

    Comments stay, except those on the removed lines. Raises YamlError when the value comes from a
    merge or is shared.
    """
    document = reader.read(text, file)
    if data.get(document.data, path) is MISSING:
        return text
    if not path or path not in document.marks:
        raise _refusal(document, path, "it is not written out here")
    goal = data.without(document.data, path)
    return _proved(document, path, goal, splice.value_removed)


def _merged(
    text: str, path: Path, present: dict[str, Any], wanted: dict[str, Any], file: str
) -> str:
    for key, item in wanted.items():
        text = set_value(text, (*path, key), item, file=file)
    for key in present:
        if key not in wanted:
            text = remove(text, (*path, key), file=file)
    return text


def _goal(document: Document, path: Path, value: Any) -> Any:
    try:
        return data.with_value(document.data, path, as_read(value))
    except LookupError as error:
        raise _refusal(document, path, str(error)) from None


def _written(document: Document, path: Path) -> Path | None:
    """The longest part of the path that has a place of its own; None in an empty document."""
    lengths = range(len(path), -1, -1)
    return next((path[:length] for length in lengths if path[:length] in document.marks), None)


def _proved(document: Document, path: Path, goal: Any, edit: _Edit) -> str:
    """The first candidate that reads back as the goal; the text itself when it does already."""
    if alike(document.data, goal):
        return document.text
    if not (mark := document.marks.get(path)) or not mark.shared:
        for candidate in edit(document, path, goal):
            if _reads_as(candidate, goal):
                return candidate
    raise _refusal(document, path, "the change would reach further than this one value")


def _reads_as(text: str, goal: Any) -> bool:
    try:
        return alike(reader.read(text, "").data, goal)
    except YamlError:
        return False


def _refusal(document: Document, path: Path, reason: str) -> YamlError:
    name = ".".join(map(str, path)) or "the document"
    return YamlError(
        f"cannot change {name} in place: {reason}",
        path=document.path,
        line=document.line(path),
        hint="edit it by hand",
    )
