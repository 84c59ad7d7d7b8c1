"""Objects that one cause changes in the same way, so that it is shown once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from generator.diff.model import Action, Change

# Only a line that says all by itself may stand for the same line in another place.
_IMAGE = re.compile(r"[+-] *(?:- )?image: \S+")

Alike = tuple[Change, tuple[Change, ...]]
"""A change that is shown, and those that only exchange the same images."""


def grouped(changes: Iterable[Change]) -> list[Alike]:
    """In the given order, each group at the place of its first."""
    groups: dict[object, list[Change]] = {}
    for number, change in enumerate(changes):
        groups.setdefault(_images(change) or number, []).append(change)
    return [(first, tuple(others)) for first, *others in groups.values()]


def _images(change: Change) -> frozenset[str] | None:
    """The changed lines, if all of them exchange images."""
    if change.action is not Action.MODIFIED or change.old_key is not None:
        return None
    if change.api_version != change.old_api_version:
        return None
    lines = [line for line in change.diff.split("\n") if line[:1] in ("+", "-", "#")]
    if not lines or not all(map(_IMAGE.fullmatch, lines)):
        return None
    return frozenset(line[0] + line[1:].strip(" -") for line in lines)
