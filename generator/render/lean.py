"""Charts without the files that no template reads, as the workers load them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
import tempfile
import threading
import weakref
from pathlib import Path

from generator.chart import unread
from generator.chart.archive import pack, unpack
from generator.chart.chart import ChartArchive
from generator.render.cache import RenderCache

_SCHEMA = "values.schema.json"


@dataclasses.dataclass
class LeanCharts:
    """Lean archives in a folder that ends with this object; safe to use from several threads.

    What of a chart is read is decided once and kept in `cache`, by the archive's digest and by
    the code that decides.
    """

    cache: RenderCache
    _folder: Path | None = None
    _made: dict[tuple[str, bool], Path | None] = dataclasses.field(default_factory=dict)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def find(self, chart: ChartArchive, *, schema: bool) -> Path | None:
        """Where the lean archive of a chart is, with its `schema` or without; None: take all of it.

        No template can read the schema: Helm does not count it among `.Files`.
        """
        with self._lock:
            key = (chart.digest, schema)
            if key not in self._made:
                data = self._data(chart)
                if data and not schema:
                    files = unpack(data)
                    data = pack(chart.name, {k: v for k, v in files.items() if k != _SCHEMA})
                self._made[key] = self._written(f"{len(self._made)}.tgz", data) if data else None
            return self._made[key]

    def _data(self, chart: ChartArchive) -> bytes:
        """The archive; empty where templates may read every file."""
        key = hashlib.sha256(f"lean {_rules()} {chart.digest}".encode()).hexdigest()
        data = self.cache.get_bytes(key)
        if data is None:
            data = unread.lean(chart) or b""
            self.cache.put_bytes(key, data)
        return data

    def _written(self, name: str, data: bytes) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gen-env-chart-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        place = self._folder / name
        place.write_bytes(data)
        return place


@functools.cache
def _rules() -> str:
    """What decides which files are read: another gen-env may decide otherwise."""
    return hashlib.sha256(Path(unread.__file__).read_bytes()).hexdigest()
