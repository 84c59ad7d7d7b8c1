"""Edits in a file that people wrote: the new value goes in, every other byte stays.

`writer.source` (ruamel.yaml) writes the new value in the layout of the file, `splice` puts it in
the place of the old one. The rest never goes through ruamel.yaml, which drops comments beside what
is removed, adds keys below the next section's comment and aligns comments again. Each edit is
proved before it is given back: the new text is read again, and everything but the edited value must
be what it was. Read files as bytes and decode them: text mode would change CRLF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from generator.core.layered import Path
from generator.yaml import reader, splice
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document
from generator.yaml.scalars import Plain
from generator.yaml.writer import dump

_Splice = Callable[[Document, Path, Any], Iterator[str]]
MISSING: Any = object()


def set_scalar(text: str, path: Path, value: Any, *, file: str = "") -> str:
    """The text with another scalar at `path`, in the quotes and the layout of the old one.

    A `str` is read back as a string, quoted where it must be; a `Plain` goes in unquoted, as do
    numbers, booleans and None. Raises YamlError when there is no scalar at `path` or the change
    would reach further than it.
    """
    document = reader.read(text, file)
    mark = document.marks.get(path)
    if mark is None or mark.kind != "scalar" or isinstance(value, dict | list | tuple):
        raise _refusal(document, path, "it is not a single literal value here")
    return _proved(document, path, _goal(document, path, value), splice.replaced)


def set_value(text: str, path: Path, value: Any, *, file: str = "") -> str:
    """The text with any value at `path`; keys that are missing on the way are added.

    A mapping is merged into the mapping that is there key by key, its other keys removed, so that
    comments and order survive. A list index may be one past the end. Raises YamlError as
    `set_scalar` does.
    """
    document = reader.read(text, file)
    present, wanted = get(document.data, path), as_read(value)
    if isinstance(present, dict) and isinstance(wanted, dict) and present and wanted:
        return _merged(text, path, present, wanted, file)
    if isinstance(present, list) and isinstance(wanted, list) and 0 < len(present) <= len(wanted):
        for index, item in enumerate(wanted):
            text = set_value(text, (*path, index), item, file=file)
        return text
    goal = _goal(document, path, value)
    place = _written(document, path)
    if place == path or (place is not None and get(document.data, place) is None):
        return _proved(document, place, goal, splice.replaced)
    # The shortest path that is not written out: it takes all that is missing below it.
    target = path[: len(place) + 1] if place is not None else ()
    return _proved(document, target, goal, splice.inserted)


def remove(text: str, path: Path, *, file: str = "") -> str:
    """The text without the key or list item at `path`; unchanged when it is not there.

    Comments stay, except those on the removed lines. Raises YamlError when the value comes from a
    merge or is shared.
    """
    document = reader.read(text, file)
    if get(document.data, path) is MISSING:
        return text
    if not path or path not in document.marks:
        raise _refusal(document, path, "it has no literal value here")
    goal = without(document.data, path)
    if not get(goal, path[:-1]):
        return _proved(document, path[:-1], goal, splice.replaced)
    return _proved(document, path, goal, splice.removed)


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
        return with_value(document.data, path, as_read(value))
    except LookupError as error:
        raise _refusal(document, path, str(error)) from None


def _written(document: Document, path: Path) -> Path | None:
    """The longest part of the path that has a place of its own; None in an empty document."""
    lengths = range(len(path), -1, -1)
    return next((path[:length] for length in lengths if path[:length] in document.marks), None)


def _proved(document: Document, path: Path, goal: Any, edit: _Splice) -> str:
    """The first candidate that reads back as the goal; the text itself when it does already."""
    if alike(document.data, goal):
        return document.text
    if not (mark := document.marks.get(path)) or not mark.shared:
        for candidate in edit(document, path, get(goal, path)):
            if _reads_as(candidate, goal):
                return candidate
    raise _refusal(document, path, "the change would affect more than this value")


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


def get(data: Any, path: Path) -> Any:
    """What is at `path`, or MISSING."""
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step, MISSING)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step] if 0 <= step < len(data) else MISSING
        else:
            return MISSING
    return data


def as_read(value: Any) -> Any:
    """A value as reading it would give it: numbers and booleans become `Plain`."""
    if isinstance(value, dict):
        return {str(key): as_read(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_read(item) for item in value]
    if value is None or isinstance(value, Plain):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    return Plain(dump(value).rstrip("\n"))


def with_value(data: Any, path: Path, value: Any) -> Any:
    """A copy with `value` at `path`; mappings and lists are made where there is nothing.

    Raises LookupError, in words, where something else is in the way.
    """
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        items = [] if data is None else data
        if not isinstance(items, list) or not 0 <= first <= len(items):
            raise LookupError(f"no list has a position for item {first}")
        below = items[first] if first < len(items) else None
        return [*items[:first], with_value(below, rest, value), *items[first + 1 :]]
    entries = {} if data is None else data
    if not isinstance(entries, dict):
        raise LookupError(f"no mapping can contain {first}")
    return {**entries, first: with_value(entries.get(first), rest, value)}


def without(data: Any, path: Path) -> Any:
    """A copy without what is at `path`."""
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        inner = [without(data[first], rest)] if rest else []
        return [*data[:first], *inner, *data[first + 1 :]]
    if rest:
        return {**data, first: without(data[first], rest)}
    return {key: item for key, item in data.items() if key != first}


def alike(left: Any, right: Any) -> bool:
    """Equality that tells a string from an unquoted number; the order of keys does not count."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    return type(left) is type(right) and bool(left == right)
