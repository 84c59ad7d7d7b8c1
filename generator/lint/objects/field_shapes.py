"""What a list or mapping of an object may hold, as the API server judges it.

Each check names the fault, or gives ''; another type is left to the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.lint.objects.field_checks import Check


def forbidden(why: str) -> Check:
    """Nothing may stand there."""
    return lambda value: why if value not in (None, "", [], {}) else ""


def present(why: str) -> Check:
    """Not even an empty mapping may stand there."""
    return lambda value: why


def unique(*names: str) -> Check:
    """A list without an entry twice, by these fields of it or as a whole."""

    def check(value: Any) -> str:
        items = value if isinstance(value, list) else []
        shown = [_part(item, names) for item in items]
        return "has an entry twice" if any(i in shown[:n] for n, i in enumerate(shown)) else ""

    return check


def _part(item: Any, names: tuple[str, ...]) -> Any:
    if not names or not isinstance(item, Mapping):
        return item
    return [item.get(name) for name in names]


def at_most(count: int) -> Check:
    """A list of no more entries."""
    words = f"has more than {count} entries"
    return lambda value: words if isinstance(value, list) and len(value) > count else ""


def one_source(*others: str, least: int = 0) -> Check:
    """A volume: beside these keys only one."""

    def check(value: Any) -> str:
        items = value.items() if isinstance(value, Mapping) else ()
        given = [str(key) for key, item in items if key not in others and item is not None]
        if len(given) > 1:
            return f"has more than one source: {', '.join(given)}"
        return "has no source" if len(given) < least else ""

    return check


def values(*checks: Check) -> Check:
    """Each value of a mapping, or entry of a list."""

    def check(value: Any) -> str:
        items = value.values() if isinstance(value, Mapping) else value
        faults = (
            (test(item) for item in items for test in checks)
            if isinstance(value, list | Mapping)
            else ()
        )
        return next((f"has an entry that {fault}" for fault in faults if fault), "")

    return check


def keys(*checks: Check) -> Check:
    """Each key of a mapping."""
    every = values(*checks)
    return lambda value: (
        every(list(value)).replace("entry", "key") if isinstance(value, Mapping) else ""
    )


def at_most_one(*names: str) -> Check:
    """A mapping in which at most one of these keys holds something."""
    return exactly_one(*names, least=0)


def exactly_one(*names: str, least: int = 1) -> Check:
    """A mapping with one of these keys; with `least` 0 it may have none of them."""
    listed = ", ".join(names)

    def check(value: Any) -> str:
        if not isinstance(value, Mapping):
            return ""
        empty = (None, []) if least else (None, "")
        count = sum(value.get(name) not in empty for name in names)
        if count > 1:
            return f"has more than one of {listed}"
        return f"needs one of {listed}" if count < least else ""

    return check


def needs(*names: str) -> Check:
    """A mapping in which these keys hold something."""

    def check(value: Any) -> str:
        missing = isinstance(value, Mapping) and [
            n for n in names if value.get(n) in (None, "", [], {})
        ]
        return f"lacks {', '.join(missing)}" if missing else ""

    return check


def has(key: str) -> Check:
    """A mapping with that key, which a list is ordered by."""
    return lambda value: "" if not isinstance(value, Mapping) or key in value else f"lacks {key}"


def some(*names: str) -> Check:
    """A mapping with at least one of these keys."""
    listed = " or ".join(names)

    def check(value: Any) -> str:
        is_empty = isinstance(value, Mapping) and all(value.get(name) is None for name in names)
        return f"needs {listed}" if is_empty else ""

    return check
