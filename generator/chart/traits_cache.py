"""Traits beside the archive in the chart cache, so that each archive is looked into once."""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.chart.chart import ChartArchive
from generator.chart.key_tree import Tree
from generator.chart.traits import ChartTraits, Templates
from generator.chart.traits_reader import traits_of

FORMAT = 4
"""Raise it when what is derived, or how it is written, changes."""

_SUFFIX = ".traits"


def traits(chart: ChartArchive) -> ChartTraits:
    """The chart's traits, as they lie beside its archive in the cache, else derived.

    What is derived of an archive that lies under its digest is written there. A file that cannot
    be read or written, or that another user owns, changes nothing. Raises ChartError where the
    chart's own files are unusable.
    """
    return _once(_Same(chart))


class _Same:
    """A chart that equals all others of its digest."""

    def __init__(self, chart: ChartArchive) -> None:
        self.chart = chart

    def __hash__(self) -> int:
        return hash(self.chart.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.chart.digest == other.chart.digest


@functools.lru_cache(maxsize=32)
def _once(same: _Same) -> ChartTraits:
    chart = same.chart
    file = chart.path.with_suffix(_SUFFIX)
    digest = chart.digest.removeprefix("sha256:")
    if not chart.path.name.endswith(f"-{digest}.tgz"):
        return traits_of(chart)
    known = _read(file, chart.digest)
    if known is None:
        known = traits_of(chart)
        _write(file, {"format": FORMAT, "digest": chart.digest, **as_data(known)})
    return known


def as_data(item: ChartTraits) -> dict[str, Any]:
    """The traits as plain data, for JSON."""
    own = item.templates
    return {
        "version": item.version,
        "airflow": item.airflow,
        "images": dict(item.images),
        "root": item.tree.root,
        "definitions": dict(item.tree.definitions),
        "templates": {
            "airflowFloor": own.airflow_floor,
            "mergesWorkers": own.merges_workers,
            "partlyMerged": sorted(own.partly_merged),
            "neverMerged": sorted(own.never_merged),
            "undocumented": sorted(own.undocumented),
            "marks": sorted(own.marks),
            "hooks": own.hooks,
            "random": own.random,
        },
    }


def from_data(data: Mapping[str, Any]) -> ChartTraits:
    """The traits of `as_data`. Raises KeyError and TypeError for other data."""
    own = data["templates"]
    floor = own["airflowFloor"]
    return ChartTraits(
        version=data["version"],
        airflow=data["airflow"],
        images=data["images"],
        tree=Tree(data["root"], data["definitions"]),
        templates=Templates(
            airflow_floor=(floor[0], floor[1], floor[2]) if floor else None,
            merges_workers=own["mergesWorkers"],
            partly_merged=frozenset(own["partlyMerged"]),
            never_merged=frozenset(own["neverMerged"]),
            undocumented=frozenset(own["undocumented"]),
            marks=frozenset(own["marks"]),
            hooks=tuple((path, events) for path, events in own["hooks"]),
            random=tuple(own["random"]),
        ),
    )


def _read(file: Path, digest: str) -> ChartTraits | None:
    try:
        if file.stat().st_uid != os.getuid():
            return None
        data = json.loads(gzip.decompress(file.read_bytes()))
        if data["format"] != FORMAT or data["digest"] != digest:
            return None
        return from_data(data)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zlib.error):
        return None


def _write(file: Path, data: Mapping[str, Any]) -> None:
    """Whole or not at all; without a word where the folder cannot be written to."""
    content = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), mtime=0)
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=file.parent) as folder:
        part = Path(folder, file.name)
        part.write_bytes(content)
        part.replace(file)
