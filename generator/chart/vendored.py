"""The chart that a repository carries itself: an archive, or the files of an unpacked chart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from generator.chart.cache import ChartCache
from generator.chart.chart import ChartArchive, ChartError, ChartFault
from generator.core.files import Files


def archive(files: Files, path: str) -> bytes | None:
    """The chart at `path` as an archive, always the same bytes; None where there is nothing.

    Raises ChartError for a folder that is no chart, and for symbolic links in it.
    """
    packed = files.read(path)
    if packed is not None:
        return packed
    if list(files.links(path)):
        message = "a symbolic link inside a vendored chart"
        raise ChartError(ChartFault.UNSAFE, message, path=path)
    folder = f"{path.rstrip('/')}/"
    contents = {
        name.removeprefix(folder): files.read(name) or b"" for name in files.below(folder[:-1])
    }
    from generator.chart.source import pack_chart

    return pack_chart(contents, Path(path)) if contents else None


@dataclasses.dataclass
class Vendored:
    """The chart at `path` of a repository, opened once; Helm reads the copy in `cache`."""

    files: Files
    path: str
    cache: ChartCache
    opened: list[ChartArchive | None] = dataclasses.field(default_factory=list)

    def __call__(self) -> ChartArchive | None:
        """The chart, or None where the repository holds none; raises ChartError."""
        if not self.opened:
            packed = archive(self.files, self.path)
            self.opened.append(self.cache.add_bytes(packed, self.path) if packed else None)
        return self.opened[0]
