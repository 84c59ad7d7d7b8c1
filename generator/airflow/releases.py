"""Versions of Airflow and its providers, and access to the data files of this package."""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import Any

Version = tuple[int, ...]

_RELEASE = re.compile(r"v?(\d+(?:\.\d+){1,2})(?![\w.]*(?:rc|dev|a\d|b\d))")


def parse(text: str) -> Version | None:
    """Parse a release: `3.2.2` gives (3, 2, 2), and `main` or `3.0.0rc1` gives None."""
    match = _RELEASE.match(text)
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    return tuple([*numbers, 0, 0][:3])


def dotted(version: Version) -> str:
    """Format a version: (3, 2, 2) gives `3.2.2`."""
    return ".".join(map(str, version))


@functools.cache
def data(name: str) -> dict[str, Any]:
    """Load one of the JSON files that `tools/airflow_facts.py` derives from released packages."""
    text = resources.files("generator.airflow").joinpath(f"{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
