"""Reading a payload of which nothing can be trusted: not a key, not a type, not a length."""

from __future__ import annotations

import json
import re
from typing import Any

from generator.core.layered import lookup

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST = 1000
_LARGEST = 2**31 - 1


class PayloadError(ValueError):
    """The body is no JSON object that can be read; the message holds none of it."""


def parse(body: bytes) -> dict[str, Any]:
    """The body as an object; raises PayloadError for everything else, however it is broken."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise PayloadError("the body is not a JSON object")
    return data


def text(data: Any, *keys: str) -> str:
    """The text there, of bounded length and without control characters; empty for all else."""
    value = lookup(data, keys)
    return value[:_LONGEST] if isinstance(value, str) and value.isprintable() else ""


def long_text(data: Any, *keys: str) -> str:
    """The text there as it is, however long; empty for all else."""
    value = lookup(data, keys)
    return value if isinstance(value, str) else ""


def sha(data: Any, *keys: str) -> str:
    """The full commit id there; empty for all else, and for the zeros of a deleted branch."""
    value = text(data, *keys).lower()
    return value if _SHA.fullmatch(value) and value.strip("0") else ""


def number(data: Any, *keys: str) -> int:
    """The positive number there; 0 for all else."""
    value = lookup(data, keys)
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST
    return value if sound else 0


def branch(data: Any, *keys: str) -> str:
    """The branch that a full ref names; empty for tags and everything else."""
    value = text(data, *keys)
    return value.removeprefix("refs/heads/") if value.startswith("refs/heads/") else ""
