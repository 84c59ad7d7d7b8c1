"""Values that another program fills in before Helm sees them, with stand-ins in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, lookup
from generator.helmvalues.layers import parameter_value

# `{{ .name }}` of an ApplicationSet; `${NAME}`, `${NAME:=default}` and `${NAME:-default}` of
# Flux' postBuild (fluxcd.io/flux/components/kustomize/kustomizations). `$${NAME}` is no variable.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "ApplicationSet": re.compile(r"\{\{.*?\}\}()"),
    "HelmRelease": re.compile(r"(?<!\$)\$\{[A-Za-z_]\w*(?::?[=-]([^}]*))?\}"),
}
STAND_IN = "stand-in"


def places(values: Any, kind: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every scalar that holds a placeholder, with the placeholder; scripts are left alone."""
    match = _search(values, kind)
    if match is not None:
        yield path, match[0]
    for key, value in _items(values):
        yield from places(value, kind, (*path, key))


def filled(values: Any, defaults: Any, kind: str, path: Path = ()) -> Any:
    """The values with a stand-in for each placeholder: its own default, the chart's, or a word."""
    if isinstance(values, Mapping):
        return {
            key: filled(item, defaults, kind, (*path, str(key))) for key, item in values.items()
        }
    if isinstance(values, list):
        return [filled(item, defaults, kind, (*path, key)) for key, item in enumerate(values)]
    match = _search(values, kind)
    if match is None:
        return values
    default = lookup(defaults, path)
    if match[0] == values.strip():
        if match[1]:
            return parameter_value(match[1])
        return default if isinstance(default, bool | int | float) else STAND_IN
    return PATTERNS[kind].sub(lambda found: found[1] or STAND_IN, values)


def _search(value: Any, kind: str) -> re.Match[str] | None:
    """The first placeholder of a scalar; text of several lines is a script or a template."""
    found = PATTERNS.get(kind)
    one_line = isinstance(value, str) and "\n" not in value.strip()
    return found.search(value) if found is not None and one_line else None


def _items(values: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(values, Mapping):
        yield from ((str(key), value) for key, value in values.items())
    elif isinstance(values, list):
        yield from enumerate(values)
