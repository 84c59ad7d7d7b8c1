"""Which part of a changed line differs from the line that it replaces."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

_LONGEST = 2_000
_WORD = re.compile(r"[\w.-]")

Marked = tuple[str, int, int]
"""A line of a diff, and where the part that differs begins and ends; equal where none is marked."""


def marked(diff: str) -> Iterator[Marked]:
    """Every line; in a run of removed and as many added lines each has its partner."""
    lines = diff.split("\n")
    index = 0
    while index < len(lines):
        removed = _run(lines, index, "-")
        added = _run(lines, index + removed, "+")
        if removed and removed == added:
            pairs = [_pair(lines[at], lines[at + removed]) for at in range(index, index + removed)]
            yield from (old for old, _ in pairs)
            yield from (new for _, new in pairs)
            index += removed + added
        else:
            count = removed + added or 1
            yield from ((line, 0, 0) for line in lines[index : index + count])
            index += count


def _run(lines: Sequence[str], start: int, sign: str) -> int:
    end = start
    while end < len(lines) and lines[end].startswith(sign):
        end += 1
    return end - start


def _pair(old: str, new: str) -> tuple[Marked, Marked]:
    """Whole words; nothing where the lines have little in common but their indentation."""
    if max(len(old), len(new)) > _LONGEST:
        return (old, 0, 0), (new, 0, 0)
    first = 1 + _common(old[1:], new[1:])
    last = _common(old[first:][::-1], new[first:][::-1])
    while first > 1 and _WORD.match(old[first - 1]):
        first -= 1
    while last and _WORD.match(old[len(old) - last]):
        last -= 1
    if not old[1:first].strip() and not old[len(old) - last :].strip():
        return (old, 0, 0), (new, 0, 0)
    return (old, first, len(old) - last), (new, first, len(new) - last)


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in alike)
