"""Whether a connection of Airflow's, as URI or JSON, holds nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from generator.redaction.names import holds_secret
from generator.redaction.text import secret_intervals

_EXTRA = "__extra__"


def is_open(value: str) -> bool:
    """True for `aws:///?region_name=eu-west-1`: no user, no password, no extra that is secret.

    False for whatever cannot be read as a connection.
    """
    if secret_intervals(value):
        return False
    return _is_open_json(value) if value.lstrip().startswith("{") else _is_open_uri(value)


def _is_open_uri(value: str) -> bool:
    try:
        address = urlsplit(value)
        extras = dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        return "?" not in value and _has_open_place(value)
    extra = extras.pop(_EXTRA, "")
    return _has_open_place(value) and _are_open(extras) and (not extra or _is_open_json(extra))


def _has_open_place(value: str) -> bool:
    """A scheme, and no user before the host."""
    scheme, mark, rest = value.partition("://")
    return bool(mark and scheme) and "@" not in rest.partition("?")[0]


def _is_open_json(text: str) -> bool:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(fields, Mapping) or any(fields.get(key) for key in ("login", "password")):
        return False
    return _are_open(fields)


def _are_open(fields: Mapping[str, Any]) -> bool:
    """Whether no field, at any depth, has a name that says secret."""
    for key, item in fields.items():
        if isinstance(item, str) and item.lstrip().startswith("{"):
            if not _is_open_json(item):
                return False
        elif isinstance(item, Mapping):
            if not _are_open(item):
                return False
        elif isinstance(item, list) or holds_secret(str(key), str(item)):
            return False
    return True
