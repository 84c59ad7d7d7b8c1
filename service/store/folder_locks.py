"""Who works in a folder that others may want to remove: locks between processes of one host.

A process that is killed gives its locks up. The time of the last use is the lock file's own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Within this nobody removes the folder; any number may be in it side by side."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock_of(folder).open("a") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_SH)
        os.utime(file.fileno())
        yield  # closing the file gives the lock up


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether nobody works in the folder; if so, nobody begins to within this."""
    with _lock_of(folder).open("a") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def last_used(folder: Path) -> float:
    """When somebody last began to work in the folder, or when it was made."""
    for path in (_lock_of(folder), folder):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def forget(folder: Path) -> None:
    """Remove the lock of a folder that nobody will use again."""
    _lock_of(folder).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.use")
