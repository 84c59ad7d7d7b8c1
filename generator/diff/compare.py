"""Two sides of an environment become changes and folded noise."""

from __future__ import annotations

from typing import Any

from generator.diff import listing, noise, pairing
from generator.diff.equality import same
from generator.diff.model import Action, Change, Comparison, Folded, Limits, Pair, Side
from generator.diff.unified import Unified, unified
from generator.kube.resource import Key, Object
from generator.redaction import manifests

_UNSHOWN = "# the two sides differ in a way that this text cannot show"


def compare(base: Side, head: Side, limits: Limits | None = None) -> Comparison:
    """Every difference between the two sides, as a change or counted under what was folded."""
    before, base_problems = pairing.entries(base)
    after, head_problems = pairing.entries(head)
    changes: list[Change] = []
    folded: dict[str, list[Key]] = {}
    for pair in pairing.pair(before, after):
        if _same(pair):
            continue
        change, fields = change_of(pair, limits or Limits())
        for field in fields:
            folded.setdefault(field, []).append(pair.key)
        if change:
            changes.append(change)
    return Comparison(
        changes=tuple(changes),
        folded=tuple(Folded(field, tuple(folded[field])) for field in sorted(folded)),
        problems=(*base_problems, *head_problems),
    )


def change_of(pair: Pair, limits: Limits) -> tuple[Change | None, tuple[str, ...]]:
    """The change of a pair that differs, unless all of it is noise; and the noise by name."""
    if pair.base is None or pair.head is None:
        return _whole(pair, limits), ()
    base, head, fields = noise.fold(pair.base, pair.head)
    if pair.base_key == pair.head_key and same(base, head):
        return None, fields or (noise.ORDER,)
    masked = manifests.mask(base, head)
    before, after = (listing.lines(side) for side in masked)
    return _change(pair, Action.MODIFIED, unified(before, after, limits)), fields


def _same(pair: Pair) -> bool:
    """Equal to the last detail: `repr` tells 1 from true and from 1.0, which `==` does not."""
    return pair.base_key == pair.head_key and repr(pair.base) == repr(pair.head)


def _whole(pair: Pair, limits: Limits) -> Change:
    base, head = manifests.mask(pair.base, pair.head)
    action = Action.REMOVED if head is None else Action.ADDED
    return _change(pair, action, unified(_lines(base), _lines(head), limits))


def _lines(manifest: Any) -> list[str]:
    return [] if manifest is None else listing.lines(manifest)


def _change(pair: Pair, action: Action, text: Unified) -> Change:
    renamed = pair.base_key != pair.head_key and action is Action.MODIFIED
    return Change(
        action=action,
        key=pair.key,
        api_version=_api_version(pair.head if pair.head is not None else pair.base),
        diff=text.text or _UNSHOWN,
        added_lines=text.added,
        removed_lines=text.removed,
        old_key=pair.base_key if renamed else None,
        old_api_version=_api_version(pair.base) if action is Action.MODIFIED else "",
    )


def _api_version(manifest: Object | None) -> str:
    return str((manifest or {}).get("apiVersion") or "")
