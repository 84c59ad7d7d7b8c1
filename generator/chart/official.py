"""Whether an archive is the one that the Airflow project released."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.chart.chart import ChartArchive

_FILE = Path(__file__).with_name("official.json")
_ALONE = ("Chart.yaml", "values.yaml", "values.schema.json")
_FOLDERS = ("templates/", "files/", "charts/")


def judged(chart: ChartArchive) -> str:
    """What is known of an archive's origin, in words.

    Digests are shipped for releases whose digest the project states, or of which an archive was
    found that was rebuilt to the byte; of others nothing is said.
    """
    release = _releases().get(chart.version)
    if release is None:
        return f"whether it is the official {chart.version} is not known: its digest is not shipped"
    if chart.digest == release["digest"]:
        return f"official {chart.version}"
    parts: Mapping[str, str] = release.get("parts") or {}
    own = part_digests(chart)
    different = [name for name in parts if parts[name] != own.get(name)]
    if not parts:
        return f"not the official archive of {chart.version}: its digest differs"
    if not different:
        return f"not the official archive of {chart.version}, but with the same files"
    verb = "differs" if len(different) == 1 else "differ"
    return f"not the official archive of {chart.version}: {_listed(different)} {verb}"


def digest(version: str) -> str | None:
    """The digest of the official archive, or None where it is not shipped."""
    release = _releases().get(version)
    return str(release["digest"]) if release else None


def part_digests(chart: ChartArchive) -> dict[str, str]:
    """A digest of each part of the chart: three files by name, three folders, and the rest."""
    parts: dict[str, Any] = {}
    for path, content in sorted(chart.files.items()):
        folder = next((folder for folder in _FOLDERS if path.startswith(folder)), "other files")
        part = parts.setdefault(path if path in _ALONE else folder, hashlib.sha256())
        part.update(f"{path}\0{len(content)}\0".encode() + content)
    return {name: digest.hexdigest() for name, digest in sorted(parts.items())}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@functools.cache
def _releases() -> Mapping[str, Mapping[str, Any]]:
    data: Mapping[str, Mapping[str, Any]] = json.loads(_FILE.read_text())
    return data
