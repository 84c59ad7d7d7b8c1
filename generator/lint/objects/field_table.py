"""A table of fields: what may stand in each, by its path, and how a value breaks it.

In a path `*` is each entry of a list or mapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.lint.objects.field_checks import Check

Rows = Mapping[str, Check | tuple[Check, ...]]


def under(prefix: str, rows: Rows) -> Rows:
    """The rows of what stands at a path."""
    return {f"{prefix}.{path}" if path else prefix: checks for path, checks in rows.items()}


def faults(value: object, rows: Rows, where: str = "") -> Iterator[str]:
    """`field fault`, for each row that a value breaks; `where` stands before each field."""
    for path, checks in rows.items():
        for field, found in _select(value, path.split(".") if path else [], where):
            for check in checks if isinstance(checks, tuple) else (checks,):
                if fault := check(found):
                    shown = f" {found[:48]!r}" if isinstance(found, str) else ""
                    shown = f" {found}" if isinstance(found, int) else shown
                    yield f"{field or 'it'}{shown} {fault}"
                    break


def _select(value: object, path: list[str], field: str) -> Iterator[tuple[str, object]]:
    if not path:
        yield field, value
        return
    step, *rest = path
    if step != "*":
        if isinstance(value, Mapping) and value.get(step) is not None:
            yield from _select(value[step], rest, f"{field}.{step}" if field else step)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _select(item, rest, f"{field}[{number}]")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _select(item, rest, f"{field}.{name}")
