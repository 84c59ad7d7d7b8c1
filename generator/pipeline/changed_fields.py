"""Which fields of a definition or of gen-env.yaml a change moves, masked as objects are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import Path
from generator.core.visible import one_line
from generator.redaction import manifests
from generator.report.model import FieldChange

_LONGEST = 200


def changed_fields(base: Any, head: Any) -> tuple[FieldChange, ...]:
    """Every field that differs between two documents, in the order of the head.

    Items of a list are compared by their `name` where all have one, else the list as a whole; a
    part that only one side has is one field.
    """
    before, after = manifests.mask(base, head)
    return tuple(_between((), before, after))


def _between(path: Path, before: Any, after: Any) -> Iterator[FieldChange]:
    old, new = _fields(before), _fields(after)
    if old is None or new is None:
        if _flow(before) != _flow(after) or (before is None) != (after is None):
            yield FieldChange(_called(path), _shown(before), _shown(after))
        return
    for name in [*new, *(key for key in old if key not in new)]:
        yield from _between((*path, name), old.get(name), new.get(name))


def _fields(value: Any) -> Mapping[str, Any] | None:
    """The parts of a mapping or of a list of named items; None for what is compared whole."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, list) and value:
        names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {f"[{name}]": item for name, item in zip(names, value, strict=True)}
    return None


def _called(path: Path) -> str:
    """`dags.bundles[main].ref`."""
    return one_line(".".join(map(str, path)).replace(".[", "["))


def _shown(value: Any) -> str:
    text = "" if value is None else one_line(_flow(value)) or '""'
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _flow(value: Any) -> str:
    """A value as YAML people write in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return "null" if value is None else str(value)
