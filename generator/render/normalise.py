"""A render without what is made up anew each time, so that two renders can be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.resource import Key, key_of
from generator.render import clock
from generator.render.nondeterminism import Pin, RandomField, compare
from generator.render.request import Rendered, Renderer, RenderFailure, RenderRequest, RenderResult

RANDOM = Rule(
    "render/random",
    Severity.ERROR,
    "A field that every render generates again",
    "Each sync changes it.",
    "Helm",
    also=((Severity.WARNING, "in a comparison, which leaves the field out"),),
)

MADE_UP = "generated again by every render"
"""Stands in the place of a random value."""


@dataclasses.dataclass(frozen=True)
class Normalised:
    """What a chart renders to each time; `random` names the fields that `MADE_UP` stands in.

    `warnings` are those of the chart's notes.
    """

    manifests: tuple[dict[str, Any], ...] = dataclasses.field(repr=False)
    warnings: tuple[Problem, ...] = ()
    random: tuple[RandomField, ...] = ()


def render(
    renderer: Renderer, request: RenderRequest, pins: Sequence[Pin]
) -> Normalised | RenderFailure:
    """Render, and once more where the chart makes Secrets itself, which may be random, or shows
    the time.

    A random value would show in every comparison as if the change under review had made it.
    """
    first = renderer.render(request)
    if isinstance(first, RenderFailure):
        return first
    if not (any(map(_holds_secrets, first.manifests)) or clock.is_read(request)):
        return Normalised(first.manifests, first.problems)
    # A renderer with a cache keeps the second render beside the first.
    again: Callable[[RenderRequest], Rendered] = getattr(renderer, "again", renderer.render)
    second = again(request)
    if isinstance(second, RenderFailure):
        return second
    random_fields = compare(first, second, request.namespace, pins)
    manifests = (
        tuple(_settled(first, second, request.namespace)) if random_fields else first.manifests
    )
    return Normalised(manifests, first.problems, random_fields)


def problems(random: Sequence[RandomField], *, environment: str, path: str) -> Iterator[Problem]:
    """A warning for each setting that would pin something, naming what it pins."""
    groups: dict[tuple[str, ...], list[RandomField]] = {}
    for field in random:
        groups.setdefault(field.pinned_by, []).append(field)
    for pinned_by, fields in groups.items():
        places = ", ".join(f"{field.resource} {field.field}" for field in fields[:5])
        more = f" and {len(fields) - 5} more" if len(fields) > 5 else ""
        yield RANDOM.problem(
            f"{MADE_UP}, so it changes with each sync and is not compared: {places}{more}",
            environment=environment,
            path=path,
            hint=f"set {' or '.join(pinned_by)}" if pinned_by else "",
            severity=Severity.WARNING,
        )


def _holds_secrets(manifest: Mapping[str, Any]) -> bool:
    return manifest.get("kind") == "Secret" and bool(
        manifest.get("data") or manifest.get("stringData")
    )


def _settled(one: RenderResult, other: RenderResult, namespace: str) -> Iterator[dict[str, Any]]:
    twins: dict[Key, Any] = {key_of(item, namespace): item for item in other.manifests}
    for manifest in one.manifests:
        twin = twins.get(key_of(manifest, namespace))
        yield manifest if twin is None else _common(manifest, twin)


def _common(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            name: _common(item, other[name]) if name in other else MADE_UP
            for name, item in one.items()
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_common(item, twin) for item, twin in zip(one, other, strict=True)]
    return one if one == other else MADE_UP
