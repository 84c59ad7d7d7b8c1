"""What a cluster differs in from what git wants: by desired fields, or by a dry run's answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from generator.diff import compare, pairing
from generator.diff.model import Change, Limits, Pair, Side
from generator.diff.quantity import quantity
from generator.health import fields
from generator.resource import Object

# What the API server keeps for itself.
_OWN_METADATA = (
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_QUANTITIES = frozenset({"capacity", "hard", "limits", "requests", "sizeLimit"})
_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def structural(
    wanted: Side, live: Iterable[Object], limits: Limits | None = None
) -> tuple[Change, ...]:
    """Differences in the fields that git sets; what the cluster adds on its own is no drift.

    An object that the cluster does not have is `removed`. Lists of named entries (containers,
    variables, volumes) are compared by name, so an injected sidecar is no drift; other lists count
    as a whole. Quantities are compared as numbers, empty fields equal absent ones.
    """
    found = {pairing.key_of(item, wanted.namespace): item for item in live}
    pairs = []
    for key, manifest in pairing.entries(wanted)[0]:
        actual = found.get(key)
        view = None if actual is None else _view(manifest, _readable(actual))
        pairs.append(Pair(manifest, view, key, key if actual is not None else None))
    return _changes(pairs, limits)


def applied(
    live: Iterable[Object], answers: Iterable[Object], limits: Limits | None = None
) -> tuple[Change, ...]:
    """Differences between live objects and the API server's answers to a dry-run apply of git.

    The answer is what the cluster would hold if git were applied, so the change is shown from git
    to the cluster: a line with a plus is what somebody did there.
    """
    actual = {pairing.key_of(item, ""): _without_own(item) for item in live}
    pairs = []
    for answer in answers:
        key = pairing.key_of(answer, "")
        present = actual.get(key)
        pairs.append(Pair(_without_own(answer), present, key, key if present is not None else None))
    return _changes(pairs, limits)


def _changes(pairs: Iterable[Pair], limits: Limits | None) -> tuple[Change, ...]:
    changes = []
    for pair in sorted(pairs, key=lambda item: item.key.sort_key):
        if pair.head is None or repr(pair.base) != repr(pair.head):
            change, _ = compare.change_of(pair, limits or Limits())
            changes += [change] if change else []
    return tuple(changes)


def _view(wanted: Any, actual: Any, *, numbers: bool = False) -> Any:
    """The live value, reduced to what is wanted; where the two mean the same, the wanted one."""
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        return {
            key: _view(value, actual.get(key), numbers=numbers or key in _QUANTITIES)
            for key, value in wanted.items()
            if key in actual or value in _EMPTY
        }
    if isinstance(wanted, list) and isinstance(actual, list) and _is_named(wanted):
        by_name = {fields.text(item, "name"): item for item in actual}
        return [_view(item, by_name[item["name"]]) for item in wanted if item["name"] in by_name]
    if isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        return [_view(one, other) for one, other in zip(wanted, actual, strict=True)]
    return wanted if _same(wanted, actual, numbers=numbers) else actual


def _is_named(items: list[Any]) -> bool:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return len(names) == len(items) == len(set(map(str, names))) and all(
        isinstance(name, str) for name in names
    )


def _same(wanted: Any, actual: Any, *, numbers: bool) -> bool:
    """Equal, both empty, or the same quantity: the API server writes `1000m` as `1`."""
    if wanted in _EMPTY and actual in _EMPTY:
        return True
    if numbers and (one := quantity(wanted)) is not None:
        return one == quantity(actual)
    return type(wanted) is type(actual) and bool(wanted == actual)


def _readable(manifest: Object) -> Object:
    """A live Secret with `stringData` as well: git may have given either."""
    if fields.at(manifest, "kind") != "Secret":
        return manifest
    data = fields.section(manifest, "data")
    return {**manifest, "stringData": {key: _decoded(value) for key, value in data.items()}}


def _decoded(value: Any) -> Any:
    try:
        return base64.b64decode(str(value), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return value


def _without_own(manifest: Object) -> dict[str, Any]:
    rest = {key: value for key, value in manifest.items() if key != "status"}
    if isinstance(rest.get("metadata"), Mapping):
        rest["metadata"] = {
            key: value for key, value in rest["metadata"].items() if key not in _OWN_METADATA
        }
    return rest
