"""The entries of an Application's `ignoreDifferences`: which objects and fields they name."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from generator.kube.fields import strings, text
from generator.kube.resource import Key


def speaks_of(rule: Mapping[str, Any], key: Key) -> bool:
    """An empty name or namespace means all; group and kind may be patterns, such as `*`."""
    group, kind = text(rule, "group"), text(rule, "kind")
    return (
        fnmatch.fnmatchcase(key.group, group)
        and fnmatch.fnmatchcase(key.kind, kind)
        and text(rule, "name") in ("", key.name)
        and text(rule, "namespace") in ("", key.namespace)
    )


def pointers(rule: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Its JSON pointers as paths (RFC 6901: `~1` is a slash, `~0` a tilde)."""
    return [
        tuple(part.replace("~1", "/").replace("~0", "~") for part in item.split("/")[1:])
        for item in strings(rule, "jsonPointers")
    ]
