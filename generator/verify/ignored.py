"""What an Application ignores of what was rendered: Argo CD calls it Synced, the object may not be.

`spec.ignoreDifferences` of the live Application counts, whatever wrote it. JSON pointers narrow the
comparison; for jq expressions and field managers the whole object is compared, since Argo CD has
found no difference elsewhere in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube.fields import at, entries, integer
from generator.kube.ignore_differences import pointers, speaks_of
from generator.kube.resource import Object, key_of
from generator.verify.application import Application
from generator.verify.equivalence import as_desired
from generator.verify.snapshot import Snapshot
from generator.verify.target import Expected

_REPLICAS = ("spec", "replicas")
_ABSENT = object()


@dataclasses.dataclass(frozen=True, slots=True)
class Ignored:
    """Fields that are not as rendered; objects whose kind verification does not read; objects that
    are ignored in part but are as rendered."""

    differs: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


def ignored(expected: Expected, snapshot: Snapshot, app: Application) -> Ignored:
    """Every rendered object that `ignoreDifferences` covers, judged from the object itself.

    More replicas than rendered may come from an autoscaler that gen-env does not manage; fewer are
    a difference. What was not rendered does not count.
    """
    differs, unread, equal = [], [], []
    for rule in entries(app.manifest, "spec", "ignoreDifferences"):
        for manifest in expected.manifests:
            key = key_of(manifest, expected.namespace)
            if not speaks_of(rule, key) or not _covers_rendered(rule, manifest):
                continue
            live = snapshot.find(key)
            if live is None:
                unread.append(f"{key.kind}/{key.name}")
                continue
            paths = [path for path in _differences(live, manifest) if _covers(rule, path)]
            if paths:
                differs.append(f"{key.kind}/{key.name}: {', '.join(map('.'.join, paths[:3]))}")
            else:
                equal.append(f"{key.kind}/{key.name}")
    return Ignored(*(tuple(dict.fromkeys(items)) for items in (differs, unread, equal)))


def _covers_rendered(rule: Mapping[str, Any], manifest: Object) -> bool:
    """Whether a pointer leads to something that was rendered; for other expressions, always."""
    paths = pointers(rule)
    if len(paths) != len(_texts(rule)):
        return True
    return any(_at(manifest, pointer) is not _ABSENT for pointer in paths)


def _covers(rule: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    paths = pointers(rule)
    if len(paths) != len(_texts(rule)):
        return True
    return any(path[: len(pointer)] == pointer or pointer[: len(path)] == path for pointer in paths)


def _texts(rule: Mapping[str, Any]) -> list[Any]:
    """Everything by which the rule names fields."""
    names = ("jsonPointers", "jqPathExpressions", "managedFieldsManagers")
    lists = [at(rule, name) for name in names]
    return [item for found in lists if isinstance(found, list) for item in found]


def _at(value: Any, pointer: tuple[str, ...]) -> Any:
    for part in pointer:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value


def _differences(live: Object, rendered: Object) -> list[tuple[str, ...]]:
    found, wanted = as_desired(live, rendered)
    paths = list(_paths(found, wanted, ()))
    more = (integer(live, *_REPLICAS) or 0) >= (integer(rendered, *_REPLICAS) or 0)
    return [path for path in paths if not (path == _REPLICAS and more)]


def _paths(found: Any, wanted: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The deepest paths at which two values differ."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for name in sorted({*found, *wanted}):
            yield from _paths(found.get(name, _ABSENT), wanted.get(name, _ABSENT), (*path, name))
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for number, pair in enumerate(zip(found, wanted, strict=True)):
            yield from _paths(*pair, (*path, str(number)))
    elif found != wanted:
        yield path
