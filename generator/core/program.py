"""Which program answers: gen-env's own files and what is installed beside them."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import generator

_OWN = Path(__file__).parents[1]


@functools.cache
def identity() -> str | None:
    """A hash that another version has not, nor an edited file or another dependency.

    None where that is not certain: a file changed while this process ran, or is not on disk. A
    file counts with its size, inode and times; the kernel sets that of its last change (ctime), so
    that no installer can put back another file's. Of each folder that Python imports from the
    entries count, not what lies below them: a dependency is another one when it is installed anew,
    not when somebody edits a file inside it.
    """
    digest = hashlib.sha256(repr((sys.version, sys.path[1:])).encode("utf-8", "surrogatepass"))
    try:
        installed = [entry for path in _installed() for entry in _entries(path, inside=False)]
        for path, about in (*_entries(str(_OWN), inside=True), *installed):
            if about.st_ctime_ns > generator.BEGAN:
                return None
            times = (about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
            digest.update(repr((path, times)).encode())
    except OSError:
        return None
    return digest.hexdigest()


def _installed() -> Iterator[str]:
    """Where dependencies lie: not beside the command, nor in the checkout that is run."""
    for path in map(Path, sys.path[1:]):
        if path.is_dir() and not (path / "pyproject.toml").exists():
            yield str(path)


def _entries(folder: str, *, inside: bool) -> Iterator[tuple[str, os.stat_result]]:
    """What a folder holds, sorted, also in the folders below; compiled files are no source."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue
        if inside and entry.is_dir():
            yield from _entries(entry.path, inside=True)
        else:
            yield entry.path, entry.stat()
