"""Whether nothing changes: both sides rendered, and compared to the last label."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from generator.core.errors import UserError
from generator.diff.compare import compare
from generator.diff.model import Action, Change, Comparison, Side
from generator.kube.resource import Key, key_of
from generator.pipeline.toolchain import Repeatable
from generator.render import clock
from generator.render.request import RenderFailure, RenderRequest

_SECRET = re.compile(r"secret|fernet")
Manifests = Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Proof:
    """What differs between before and after, and what the chart draws anew on every render.

    `gone` are Secrets that the chart rendered and that are now only named; `restarts` the
    workloads whose checksum of such a Secret changes with that.
    """

    comparison: Comparison
    random: tuple[str, ...]
    gone: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """No change at all, folded noise included."""
        found = self.comparison
        return not (found.changes or found.folded or found.problems)


@dataclasses.dataclass(frozen=True)
class Rendered:
    """One side rendered twice, so that what is random shows."""

    one: Manifests
    two: Manifests


def rendered(renderer: Repeatable, request: RenderRequest, what: str) -> Rendered:
    """Render a side twice; raises UserError when the chart refuses it."""
    sides: list[Manifests] = []
    # One after the other where the time is shown: `again` waits for another second.
    with ThreadPoolExecutor(1 if clock.is_read(request) else 2) as pool:
        answers = [pool.submit(renderer.render, request), pool.submit(renderer.again, request)]
    for future in answers:
        answer = future.result()
        if isinstance(answer, RenderFailure):
            problems = answer.problems()
            told = "; ".join(problem.message for problem in problems)
            raise UserError(f"{what} do not render: {told}", hint=problems[0].hint)
        sides.append(answer.manifests)
    return Rendered(sides[0], sides[1])


def compare_sides(
    before: Rendered, after: Rendered, namespace: str, named: frozenset[str] = frozenset()
) -> Proof:
    """Compare the sides; `named` are Secrets that the chart need no longer render."""
    base = {key_of(item, namespace): item for item in before.one}
    base_again = {key_of(item, namespace): item for item in before.two}
    again = {key_of(item, namespace): item for item in after.two}
    random: list[str] = []
    restarts: list[str] = []
    heads = []
    for item in after.one:
        key = key_of(item, namespace)
        pin = _RandomPin(key)
        head = pin.pinned(base.get(key), base_again.get(key), item, again.get(key), "")
        random += pin.random
        if named:
            head = _with_old_checksums(base.get(key), head, key, restarts)
        heads.append(head)
    comparison = compare(
        Side("before", tuple(before.one), namespace=namespace),
        Side("after", tuple(heads), namespace=namespace),
    )
    gone = tuple(change.key.name for change in comparison.changes if _is_gone(change, named))
    left = tuple(change for change in comparison.changes if not _is_gone(change, named))
    return Proof(
        dataclasses.replace(comparison, changes=left),
        tuple(sorted(set(random))),
        gone,
        tuple(sorted(set(restarts))),
    )


def _is_gone(change: Change, named: frozenset[str]) -> bool:
    return (
        change.action is Action.REMOVED and change.key.kind == "Secret" and change.key.name in named
    )


class _RandomPin:
    """Give what is random on both sides the same value, and remember where it stood."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self.random: list[str] = []

    def pinned(self, one: Any, two: Any, head: Any, again: Any, field: str) -> Any:
        """`head`, with the base's value where base and head both change from render to render."""
        every = (one, two, head, again)
        if all(isinstance(item, Mapping) for item in every):
            return {
                name: self.pinned(
                    one.get(name), two.get(name), value, again.get(name), f"{field}.{name}"
                )
                for name, value in head.items()
            }
        if all(isinstance(item, list) and len(item) == len(head) for item in every):
            return [
                self.pinned(*parts, f"{field}[{index}]")
                for index, parts in enumerate(zip(*every, strict=True))
            ]
        if one != two and head != again and type(one) is type(head):
            self.random.append(f"{self._key}: {field.lstrip('.')}")
            return one
        return head


def _with_old_checksums(base: Any, head: Any, key: Key, restarts: list[str]) -> Any:
    """The head with the base's checksums of Secrets on its pods."""
    if isinstance(base, Mapping) and isinstance(head, Mapping):
        result = {
            name: _with_old_checksums(base.get(name), value, key, restarts)
            for name, value in head.items()
        }
        for name in head:
            of_secret = str(name).startswith("checksum/") and _SECRET.search(str(name))
            if of_secret and name in base and base[name] != head[name]:
                restarts.append(str(key))
                result[name] = base[name]
        return result
    if isinstance(base, list) and isinstance(head, list) and len(base) == len(head):
        pairs = zip(base, head, strict=True)
        return [_with_old_checksums(old, new, key, restarts) for old, new in pairs]
    return head
