"""Values that another program fills in before Helm sees them, with stand-ins in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, lookup
from generator.helmvalues.layers import FILLED_IN, parameter_value

# `{{ .name }}` of an ApplicationSet; `${NAME}`, `${NAME:=default}` and `${NAME:-default}` of
# Flux' postBuild (fluxcd.io/flux/components/kustomize/kustomizations). `$${NAME}` is no variable.
# `ENC[...]` is a value that sops encrypted. Anywhere else a whole value is a placeholder: of
# envsubst and templates of the pipeline, of Argo CD's vault plugin (`<path:...>`), of sops.
_VARIABLE = r"(?<!\$)\$\{[A-Za-z_]\w*(?::?[=-]((?:[^}$]|\$(?!\{))*+))?\}"
_SOPS = r"ENC\[AES256_GCM,[^\[\]]*\]"
_WHOLE = re.compile(rf"\A\s*(?:{_VARIABLE}|\$\(\w+\)|<%.*%>|<path:[^>]*>|{_SOPS})\s*\Z")
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "ApplicationSet": FILLED_IN,
    "HelmRelease": re.compile(f"{_VARIABLE}|{_SOPS}"),
    "Application": _WHOLE,
    "values": _WHOLE,
}
# Kubernetes and shells fill in what stands there.
_FOR_THE_POD = frozenset({"value", "args", "command"})
STAND_IN = "stand-in"


def places(values: Any, kind: str, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every scalar that holds a placeholder, with the placeholder; scripts are left alone."""
    match = _search(values, kind, path)
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
    match = _search(values, kind, path)
    if match is None:
        return values
    default = lookup(defaults, path)
    if match[0].strip() == values.strip():
        if match[1]:
            return parameter_value(match[1])
        return STAND_IN if default in (None, "") or isinstance(default, dict | list) else default
    return PATTERNS[kind].sub(lambda found: found[1] or STAND_IN, values)


def _search(value: Any, kind: str, path: Path) -> re.Match[str] | None:
    """The first placeholder of a scalar; text of several lines is a script or a chart's template,
    but for an ApplicationSet, which fills in all of its text."""
    if not isinstance(value, str) or ("\n" in value.strip() and kind != "ApplicationSet"):
        return None
    pattern = PATTERNS[kind]
    if pattern is _WHOLE and _FOR_THE_POD & set(path[-2:]):
        return None
    return next((match for match in pattern.finditer(value) if match[0] != match[1]), None)


def _items(values: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(values, Mapping):
        yield from ((str(key), value) for key, value in values.items())
    elif isinstance(values, list):
        yield from enumerate(values)
