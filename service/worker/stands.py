"""What stands on a default branch, for the overview: environments, versions, paths, freezes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.files import Files
from generator.pipeline import repository
from generator.promotion import pause_marker, standing

FORMAT = 2
"""The version of what `read` returns; what an earlier version of gen-env stored is read again."""


def read(files: Files) -> Mapping[str, Any]:
    """As plain data; `unread` names the environments whose definition cannot be read."""
    found = repository.load(files)
    settings = found.settings.repository if found.settings else None
    return {
        "format": FORMAT,
        "environments": [
            {
                "name": name,
                "tier": item.tier,
                "airflow": str(item.part("airflow", "version") or ""),
                "chart": str(item.part("chart", "version") or ""),
                "tag": str(item.part("image", "tag") or ""),
                "paused": pause_marker.is_paused(item.document.text),
                **standing.read(files, found.settings, item),
            }
            for name, item in sorted(found.definitions.items())
        ],
        "unread": sorted(found.names - set(found.definitions)),
        "paths": {name: list(path) for name, path in settings.promotion.paths.items()}
        if settings
        else {},
    }
