"""Judged comparisons, kept beside the renders by all that they were judged from."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from generator.core import program
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem
from generator.definition.definition import SETTINGS
from generator.diff.equality import plain
from generator.pipeline import side
from generator.pipeline.generate import Charts
from generator.pipeline.side import Inputs
from generator.render.cache import RenderCache, whole_charts
from generator.render.request import Renderer
from generator.report.model import EnvironmentDiff

FORMAT = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """One side of a comparison: the name of its revision, what is in it, and its charts."""

    revision: str
    item: Inputs | None
    files: Files
    charts: Charts


def key(
    name: str,
    old_name: str | None,
    sides: Sequence[Subject],
    problems: Sequence[Problem],
    renderer: Renderer,
) -> str | None:
    """A hash of all that a comparison depends on; None where it is not to be kept.

    That is where a side cannot be read, its chart is not available, or the program is not certain
    to be the one on disk.
    """
    own = program.identity()
    if own is None:
        return None
    digest = hashlib.sha256()
    try:
        parts = (FORMAT, own, renderer.engine_version(), whole_charts(os.environ), name, old_name)
        for part in (*parts, *problems, *(part for side in sides for part in _parts(side))):
            kind, text = b"b", part
            if not isinstance(text, bytes):
                kind, text = b"t", _stable(part).encode("utf-8", "surrogatepass")
            # Each with its length, so that nothing moves from one part into the next.
            digest.update(b"%s%d:" % (kind, len(text)) + text)
    except (UserError, OSError):
        return None
    return digest.hexdigest()


def _parts(subject: Subject) -> Iterator[object]:
    yield subject.revision
    yield subject.files.read(SETTINGS)
    item = subject.item
    if item is None:
        return
    if item.unreadable is not None:
        raise item.unreadable
    yield from (item.name, item.prefix)
    for path in sorted(item.files):
        yield from (path, item.files[path])
    yield from (item.cluster, item.governing, side.beyond_tree(item))
    if not side.is_rendered(item):
        chart = side.archive(item, subject.charts)
        if chart is None:
            raise UserError("the chart is not available")
        yield chart.read_bytes()


def _stable(value: object) -> str:
    """The same text for the same value in every process; `repr` of a set is another in each."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _stable([getattr(value, item.name) for item in dataclasses.fields(value)])
    if isinstance(value, set | frozenset):
        return f"{{{','.join(sorted(map(_stable, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_stable, value))}]"
    dump = getattr(value, "model_dump_json", None)
    return dump() if dump else plain(value)


def get(cache: RenderCache, wanted: str) -> EnvironmentDiff | None:
    """The comparison kept under a key; None where there is none that can be read."""
    with contextlib.suppress(UserError, ValueError, TypeError, LookupError, RecursionError):
        body = cache.get_bytes(wanted)
        found = None if body is None else _decoded(json.loads(body))
        return found if isinstance(found, EnvironmentDiff) else None
    return None


def put(cache: RenderCache, wanted: str, made: EnvironmentDiff) -> None:
    """Keep a comparison of sides that both rendered, if the cache is the user's own."""
    with contextlib.suppress(UserError, TypeError):
        if made.rendered:
            cache.put_bytes(wanted, json.dumps(_encoded(made)).encode("ascii"))


@functools.cache
def _types() -> dict[str, type]:
    from generator.core import basis, problem
    from generator.diff.model import Action, Change, Folded
    from generator.impact.finding import Finding
    from generator.impact.flow_change import FlowChange, FlowChanges
    from generator.kube.resource import Key

    found: tuple[type, ...] = (
        *(EnvironmentDiff, Change, Folded, Finding, FlowChange, FlowChanges, Key, Action),
        *(problem.Problem, problem.Severity, problem.State),
        *(basis.Basis, basis.Version, basis.NotRead, basis.Origin),
    )
    return {item.__name__: item for item in found}


def _encoded(value: Any) -> Any:
    kind = type(value)
    if _types().get(kind.__name__) is kind:
        if isinstance(value, enum.Enum):
            return {kind.__name__: value.value}
        fields = dataclasses.fields(value)
        return {kind.__name__: {item.name: _encoded(getattr(value, item.name)) for item in fields}}
    if kind is tuple:
        return list(map(_encoded, value))
    if value is None or kind in (str, int, bool):
        return value
    raise TypeError(f"{kind.__name__} is not kept")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_decoded, value))
    if not isinstance(value, dict):
        return value
    [(name, content)] = value.items()
    kind = _types()[name]
    if isinstance(content, dict):
        return kind(**{field: _decoded(item) for field, item in content.items()})
    return kind(content)
