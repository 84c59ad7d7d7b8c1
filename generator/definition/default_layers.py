"""gen-env's own defaults as layers: for every environment, then by tier, read from the model."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from generator.core.layered import Layer
from generator.model.environment import Environment
from generator.model.marks import BuiltIn, FieldPath, marked


@functools.cache
def layers(tier: str) -> tuple[Layer, ...]:
    """What holds before anybody wrote anything; `gen-env explain` names the layers so."""
    found = list(marked(Environment, BuiltIn))
    return (
        Layer("built-in", _nested((path, mark.everywhere) for path, mark in found)),
        Layer(
            f"built-in for {tier}",
            _nested((path, getattr(mark, tier, None)) for path, mark in found),
        ),
    )


def _nested(values: Iterable[tuple[FieldPath, Any]]) -> dict[str, Any]:
    """The values that say something, as parts of a definition."""
    data: dict[str, Any] = {}
    for path, value in values:
        if value is None:
            continue
        node = data
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
    return data
