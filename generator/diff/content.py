"""When two values are the same to the cluster, down to their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> str:
    """A text that is equal for equal content whatever the order of keys, and else differs.

    Unlike `==` it tells 1 from true and from 1.0, as Kubernetes does.
    """
    if isinstance(value, Mapping):
        items = sorted((repr(key), plain(item)) for key, item in value.items())
        return f"{{{','.join(f'{key}:{item}' for key, item in items)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join([plain(item) for item in value])}]"
    return repr(value)
