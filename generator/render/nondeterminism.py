"""What a chart renders differently each time, and the value that pins it."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.kube.resource import Key, key_of
from generator.render.request import RenderResult


@dataclasses.dataclass(frozen=True, slots=True)
class Pin:
    """Which values stop a field from being random: one of `keys` is enough.

    `name` and `field` are shell patterns, the field a dotted path (`data.fernet-key`).
    """

    kind: str
    name: str
    field: str
    keys: tuple[str, ...]

    def fits(self, key: Key, field: str) -> bool:
        """Whether this pin speaks of that field of that object."""
        return (
            self.kind in ("*", key.kind)
            and fnmatch.fnmatchcase(key.name, self.name)
            and fnmatch.fnmatchcase(field, self.field)
        )


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class RandomField:
    """One field that differs between two renders of the same input; its values are not kept."""

    resource: Key
    field: str
    pinned_by: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"; set {' or '.join(self.pinned_by)}" if self.pinned_by else ""
        return f"{self.resource}: {self.field} differs on every render{remedy}"


def compare(
    one: RenderResult, other: RenderResult, namespace: str, pins: Sequence[Pin]
) -> tuple[RandomField, ...]:
    """The fields in which two renders of the same input differ."""
    before, after = _by_key(one, namespace), _by_key(other, namespace)
    random_fields = []
    for key in before.keys() | after.keys():
        for field in _differences(before.get(key), after.get(key), ""):
            pinned = next((pin.keys for pin in pins if pin.fits(key, field)), ())
            random_fields.append(RandomField(key, field, pinned))
    return tuple(sorted(set(random_fields)))


def _by_key(result: RenderResult, namespace: str) -> dict[Key, Mapping[str, Any]]:
    return {key_of(manifest, namespace): manifest for manifest in result.manifests}


def _differences(one: Any, other: Any, field: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in one.keys() | other.keys():
            path = f"{field}.{name}" if field else str(name)
            yield from _differences(one.get(name), other.get(name), path)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (item, twin) in enumerate(zip(one, other, strict=True)):
            yield from _differences(item, twin, f"{field}[{index}]")
    elif one != other:
        yield field or "(the whole object)"
