"""The unified diff of two lists of lines, in time that grows with their length."""

from __future__ import annotations

import bisect
import dataclasses
import difflib
import re
from collections.abc import Iterator, Sequence

from generator.diff.model import Limits

_CONTEXT = 3
# difflib is quadratic in lines that repeat. Beyond this many pairs of lines a stretch is first
# split at lines that occur once on both sides, and what still is too large is replaced whole:
# longer than the shortest diff, but as correct.
_MAX_PRODUCT = 250_000
_KEY = re.compile(r"(?P<indent>(?: |- )*)(?P<key>[^\s:#][^:]*):(?: |$)")
_ITEM = re.compile(r" *- ")
_LOOK_BACK = 2_000

Span = tuple[int, int, int, int]
"""A stretch that differs: first and last line (exclusive) of the base, then of the head."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unified:
    """The text of a diff, and how many lines it removes and adds (also those it leaves out)."""

    text: str
    removed: int
    added: int


def unified(base: Sequence[str], head: Sequence[str], limits: Limits) -> Unified:
    """Hunks with three lines of context; each header names the YAML path it stands in."""
    spans = list(differing(base, head))
    shown: list[str] = []
    total = 0
    for group in _hunks(spans):
        for line in _hunk(base, head, group):
            total += 1
            if len(shown) < limits.lines:
                shown.append(line)
    if total > len(shown):
        shown.append(f"# {total - len(shown):,} more lines of this diff are not shown")
    return Unified(
        text="\n".join(_narrow(shown, limits.width)),
        removed=sum(span[1] - span[0] for span in spans),
        added=sum(span[3] - span[2] for span in spans),
    )


def differing(base: Sequence[str], head: Sequence[str]) -> Iterator[Span]:
    """The stretches that differ, in order; adjacent ones are joined."""
    pending: Span | None = None
    for span in _spans(base, head, 0, len(base), 0, len(head)):
        if pending and pending[1] == span[0] and pending[3] == span[2]:
            pending = (pending[0], span[1], pending[2], span[3])
            continue
        if pending:
            yield pending
        pending = span
    if pending:
        yield pending


def _spans(
    base: Sequence[str], head: Sequence[str], a0: int, a1: int, b0: int, b1: int
) -> Iterator[Span]:
    while a0 < a1 and b0 < b1 and base[a0] == head[b0]:
        a0, b0 = a0 + 1, b0 + 1
    while a0 < a1 and b0 < b1 and base[a1 - 1] == head[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
    if a0 == a1 and b0 == b1:
        return
    if a0 == a1 or b0 == b1:
        yield (a0, a1, b0, b1)
    elif (a1 - a0) * (b1 - b0) <= _MAX_PRODUCT:
        yield from _exact(base, head, a0, a1, b0, b1)
    else:
        anchors = _anchors(base, head, a0, a1, b0, b1)
        if not anchors:
            yield (a0, a1, b0, b1)
            return
        for a, b in anchors:
            yield from _spans(base, head, a0, a, b0, b)
            a0, b0 = a + 1, b + 1
        yield from _spans(base, head, a0, a1, b0, b1)


def _exact(
    base: Sequence[str], head: Sequence[str], a0: int, a1: int, b0: int, b1: int
) -> Iterator[Span]:
    matcher = difflib.SequenceMatcher(None, base[a0:a1], head[b0:b1], autojunk=False)
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        if tag != "equal":
            yield (a0 + i0, a0 + i1, b0 + j0, b0 + j1)


def _anchors(
    base: Sequence[str], head: Sequence[str], a0: int, a1: int, b0: int, b1: int
) -> list[tuple[int, int]]:
    """Lines that stand once on each side, as the longest series that rises on both (patience)."""
    ours, theirs = _once(base, a0, a1), _once(head, b0, b1)
    common = sorted((index, theirs[line]) for line, index in ours.items() if line in theirs)
    return _rising(common)


def _once(text: Sequence[str], start: int, end: int) -> dict[str, int]:
    seen: dict[str, int] = {}
    for index in range(start, end):
        seen[text[index]] = -1 if text[index] in seen else index
    return {line: index for line, index in seen.items() if index >= 0}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    ends: list[int] = []  # positions in `pairs` of the smallest last element per length
    heights: list[int] = []
    before: list[int] = []
    for position, (_, b) in enumerate(pairs):
        place = bisect.bisect_left(heights, b)
        before.append(ends[place - 1] if place else -1)
        if place == len(ends):
            ends.append(position)
            heights.append(b)
        else:
            ends[place], heights[place] = position, b
    series: list[tuple[int, int]] = []
    position = ends[-1] if ends else -1
    while position >= 0:
        series.append(pairs[position])
        position = before[position]
    return series[::-1]


def _hunks(spans: Sequence[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    for span in spans:
        if group and span[0] - group[-1][1] > 2 * _CONTEXT:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _hunk(base: Sequence[str], head: Sequence[str], group: list[Span]) -> Iterator[str]:
    a0, b0 = max(group[0][0] - _CONTEXT, 0), max(group[0][2] - _CONTEXT, 0)
    # With fewer lines before it on one side the context is that of the shorter side.
    shift = min(group[0][0] - a0, group[0][2] - b0)
    a0, b0 = group[0][0] - shift, group[0][2] - shift
    a1 = min(group[-1][1] + _CONTEXT, len(base))
    b1 = group[-1][3] + (a1 - group[-1][1])
    where = _place(base, head, group[0])
    yield f"@@ -{_range(a0, a1)} +{_range(b0, b1)} @@{' ' + where if where else ''}"
    position = a0
    for start, end, first, last in group:
        yield from (f" {line}" for line in base[position:start])
        yield from (f"-{line}" for line in base[start:end])
        yield from (f"+{line}" for line in head[first:last])
        position = end
    yield from (f" {line}" for line in base[position:a1])


def _range(start: int, end: int) -> str:
    """As in POSIX diff: an empty range names the line before it."""
    length = end - start
    first = start + 1 if length else start
    return str(first) if length == 1 else f"{first},{length}"


def _place(base: Sequence[str], head: Sequence[str], span: Span) -> str:
    """Where a stretch stands, by the side that has lines in it."""
    text, index = (base, span[0]) if span[0] < span[1] else (head, span[2])
    return _path(text, index) if index < len(text) else ""


def _path(text: Sequence[str], index: int) -> str:
    """The YAML keys above a line: `spec.template.spec.containers[worker]`.

    They are read from the indentation; an item of a list is called by its name, which is the first
    of its lines (see `listing`).
    """
    names: list[str] = []
    item: str | None = None
    depth = _depth(text[index])
    for line in reversed(text[max(0, index - _LOOK_BACK) : index + 1]):
        match = _KEY.match(line)
        if match and len(match["indent"]) < depth:
            names.append(match["key"] + (item or ""))
            item, depth = None, len(match["indent"])
        if item is None and _ITEM.match(line) and _depth(line) == depth:
            is_named = match and match["key"] == "name"
            item = f"[{line[match.end() :]}]" if match and is_named else ""
        if depth == 0:
            break
    return ".".join(reversed(names))[:200]


def _depth(line: str) -> int:
    match = _KEY.match(line)
    return len(match["indent"]) if match else len(line) - len(line.lstrip(" -"))


def _narrow(shown: list[str], width: int) -> Iterator[str]:
    """Lines no longer than `width`; the cut of a changed line shows where it begins to differ."""
    for index, line in enumerate(shown):
        if len(line) <= width:
            yield line
            continue
        other = _partner(shown, index)
        start = max(_first_difference(line, other) - width // 4, 1) if other else 1
        piece = line[start : start + width]
        before = f"… {start - 1:,} characters … " if start > 1 else ""
        after = len(line) - start - len(piece)
        yield f"{line[0]}{before}{piece}" + (f" … {after:,} more characters" if after > 0 else "")


def _partner(shown: list[str], index: int) -> str | None:
    sign = shown[index][0]
    near = index + 1 if sign == "-" else index - 1
    wanted = {"-": "+", "+": "-"}.get(sign)
    return shown[near] if wanted and 0 <= near < len(shown) and shown[near][0] == wanted else None


def _first_difference(one: str, other: str) -> int:
    low, high = 1, min(len(one), len(other))
    while low < high:
        middle = (low + high) // 2
        if one[1 : middle + 1] == other[1 : middle + 1]:
            low = middle + 1
        else:
            high = middle
    return low
