"""A text with a budget: it takes in what fits and remembers what did not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

SMALLEST = 300
"""The characters that the shortest report needs."""

LAST = 120
"""What every page keeps free for its last line, which says what was left out."""


class Page:
    """Text that never outgrows its budget, in bytes and so in characters as well."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._parts: list[str] = []
        self._omitted: list[str] = []
        self._used = 0
        self._kept = 0

    @property
    def left(self) -> int:
        """What may still be used, the last line aside."""
        return self._budget - self._used - self._kept - LAST

    def text(self) -> str:
        """Everything that was taken in, and a last line on what nothing else speaks of."""
        if self._omitted:
            line = f"Left out for length: {', '.join(self._omitted)}.\n"
            if cost(line) <= self._budget - self._used:
                self._parts.append(line)
        return "".join(self._parts).rstrip("\n") + "\n"

    def part(self, share: float, least: int = 0) -> int:
        """A share of the whole budget, to be kept free for what comes later."""
        return max(int(self._budget * share) - LAST, least)

    def fits(self, text: str, reserve: int = 0) -> bool:
        """Whether the text and the reserve have room."""
        return cost(text) + reserve <= self.left

    def add(self, text: str, reserve: int = 0) -> bool:
        """Take the text in, if it and the reserve have room."""
        if not self.fits(text, reserve):
            return False
        self._parts.append(text)
        self._used += cost(text)
        return True

    def keep(self, size: int) -> None:
        """Keep so much free, for what closes the part that is being written."""
        self._kept = size

    def omit(self, what: str) -> None:
        """Name something in the last line: `3 diffs`."""
        self._omitted.append(what)

    def add_rows(
        self,
        heading: str,
        rows: Sequence[str],
        more: Callable[[int], str],
        *,
        noun: str,
        reserve: int,
    ) -> None:
        """A heading and as many rows as have room; the others are counted in one last row."""
        if not rows:
            return
        if not self.add(heading, reserve + cost(more(len(rows))) + 1):
            self.omit(f"{len(rows):,} {noun}")
            return
        for index, row in enumerate(rows):
            rest = len(rows) - index
            after = cost(more(rest - 1)) if rest > 1 else 0
            if not self.add(row, reserve + after + 1):
                self.add(more(rest))
                break
        self.add("\n")


def cost(text: str) -> int:
    """Bytes: never fewer than characters, so that one number bounds both."""
    return len(text.encode("utf-8", "surrogatepass"))
