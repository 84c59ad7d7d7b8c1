"""Which program answers: gen-env's own files and what is installed beside them."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_BEGAN = time.time_ns() - time.process_time_ns()
_OWN = Path(__file__).parents[1]
_BESIDE = "pydantic"
"""A dependency: the others lie in the same folder."""


@functools.cache
def identity() -> str | None:
    """A hash that another version has not, nor an edited file or another dependency.

    None where that is not certain: a file changed while this process ran, or is not on disk. A
    file counts with its size, inode and times; the kernel sets that of its last change (ctime), so
    that no installer can put back another file's.
    """
    spec = find_spec(_BESIDE)
    if spec is None or spec.origin is None:
        return None
    digest = hashlib.sha256(sys.version.encode())
    try:
        installed = _entries(str(Path(spec.origin).parents[1]), inside=False)
        for path, about in (*_entries(str(_OWN), inside=True), *installed):
            if about.st_ctime_ns > _BEGAN:
                return None
            times = (about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
            digest.update(repr((path, times)).encode())
    except OSError:
        return None
    return digest.hexdigest()


def _entries(folder: str, *, inside: bool) -> Iterator[tuple[str, os.stat_result]]:
    """What a folder holds, sorted, also in the folders below; compiled files are no source."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue
        if inside and entry.is_dir():
            yield from _entries(entry.path, inside=True)
        else:
            yield entry.path, entry.stat()
