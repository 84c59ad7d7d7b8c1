"""Annotations of service accounts as fields: the cloud identities of what a team runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path, lookup
from generator.helmvalues.values import ValuesInput

_LAST = ("serviceAccount", "annotations")
_PARTS = ("scheduler", "dagProcessor", "triggerer", "migrateDatabaseJob", "databaseCleanup")
# Release and namespace are frozen: their templates stand for one text for ever.
_FIXED = re.compile(r"\{\{-?\s*\.Release\.(Name|Namespace)\s*-?\}\}")


def proposals(values: ValuesInput) -> Iterator[tuple[Path, Any]]:
    """`serviceAccount` with what the components share and what workers have beside that.

    Whether every component agrees is for the caller to find out: the first that fits is taken.
    """
    server = "apiServer" if values.airflow3 else "webserver"
    shared: list[Mapping[str, Any]] = []
    for part in (server, *_PARTS):
        found = _written(values, part)
        if found and found not in shared:
            shared.append(found)
    workers = [_written(values, f"workers.{kind}") for kind in ("celery", "kubernetes")]
    for own in [item for item in workers if item]:
        for common in [item for item in shared if item.items() <= own.items()]:
            more = {name: text for name, text in own.items() if name not in common}
            yield ("serviceAccount",), {"annotations": common, "workers": more}
    for common in shared:
        yield ("serviceAccount", "annotations"), common
    for own in [item for item in workers if item]:
        yield ("serviceAccount", "workers"), own


def is_identity(key: Path) -> bool:
    """Whether a chart key holds annotations of a service account, which the chart templates."""
    return key[-2:] == _LAST


def settled(value: Any, values: ValuesInput) -> Any:
    """Annotations with the templates of release and namespace filled in."""
    if not isinstance(value, Mapping):
        return value
    known = {"Name": values.release, "Namespace": values.namespace}
    return {
        name: _FIXED.sub(lambda match: known[match[1]], text) if isinstance(text, str) else text
        for name, text in value.items()
    }


def _written(values: ValuesInput, part: str) -> dict[str, Any]:
    found = lookup(values.user, (*part.split("."), *_LAST))
    return dict(settled(found, values)) if isinstance(found, Mapping) else {}
