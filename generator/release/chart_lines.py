"""Which table of chart knowledge holds for which chart version."""

from __future__ import annotations

from types import ModuleType

from generator.release.v1 import line as v1

_LINES: tuple[ModuleType, ...] = (v1,)


def line_for(version: str) -> ModuleType | None:
    """The chart line that knows this chart version, or None: such a version is refused."""
    for line in _LINES:
        if version.startswith(line.VERSIONS):
            return line
    return None


def known() -> str:
    """The versions that are known, for people."""
    return ", ".join(f"{prefix}x" for line in _LINES for prefix in line.VERSIONS)
