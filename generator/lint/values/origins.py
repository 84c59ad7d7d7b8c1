"""Where values of a rendered object come from: the user's keys, else a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, dotted
from generator.helmvalues.values import ValuesInput


def amount_paths(
    values: ValuesInput, resource: str, request: Any, limit: Any
) -> tuple[Path, Path] | None:
    """The keys of a request and of the limit beside it, as the container has them.

    The two stand in one `resources`, or in two of one component, as `workers` and
    `workers.celery`; None where no key has these amounts.
    """
    requests = list(_amounts(values.merged, "requests", resource, request))
    limits = list(_amounts(values.merged, "limits", resource, limit))
    pairs = [(one, other) for one in requests for other in limits if one[0] == other[0]]
    pairs.sort(key=lambda pair: (pair[0][:-2] != pair[1][:-2], not values.decided(pair[0])))
    return pairs[0] if pairs else None


def _amounts(
    node: Mapping[str, Any], kind: str, resource: str, amount: Any, path: Path = ()
) -> Iterator[Path]:
    for key, item in node.items():
        if not isinstance(item, Mapping):
            continue
        if key == kind and path and str(item.get(resource)) == str(amount):
            yield (*path, key, resource)
        yield from _amounts(item, kind, resource, amount, (*path, key))


def variable_paths(values: ValuesInput, name: str) -> list[Path]:
    """Every key of the user's that gives containers a variable of that name."""
    found = [path for path, variable in values.environment() if variable == name]
    for component in sorted(values.merged):
        for prefix in ((component,), (component, "celery"), (component, "kubernetes")):
            rows = values.rows((*prefix, "env")) if values.table(prefix) else []
            found += [
                (*prefix, "env", index) for index, row in enumerate(rows) if row.get("name") == name
            ]
    return found


def place_text(values: ValuesInput, path: Path) -> str:
    """`key (file:line)`, or `key (the chart's default)`."""
    return f"{dotted(path)} ({_source(values, path)})"


def _source(values: ValuesInput, path: Path) -> str:
    if not values.given(path):
        return "the chart's default"
    if values.built_in(path):
        return "gen-env's default"
    file, line = values.locate(path)
    return f"{file}:{line}" if line else file or "the values"
