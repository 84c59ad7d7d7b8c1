"""What gathers on this host's disk, by age and total size: mirrors, caches, what the killed left.

One process of a host does it at a time. What somebody works in is passed over until the next time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generator.core.errors import UserError
from generator.git.mirror import Mirror
from service.settings.schema import Settings
from service.store import folder_locks
from service.telemetry.meter import METER

log = logging.getLogger("gen_env.tidy")
_DAY = 86_400.0
_PACKED = "gen-env-packed"
_PACK_SECONDS = 7 * _DAY
_GOING = ".going"


def tidy(settings: Settings, now: float, every: float) -> bool:
    """Clean up once in `every` seconds for all processes of this host; whether it was our turn."""
    mark = settings.data_dir / "tidy"
    with folder_locks.alone(mark) as mine:
        if not mine or not _is_due(mark, every, now):
            return False
        limits = settings.limits
        _mirrors(settings.data_dir, now - limits.mirror_days * _DAY, limits.mirror_bytes, now)
        _caches(now - limits.cache_days * _DAY)
        _remains(settings.data_dir)
        return True


@contextlib.contextmanager
def own_folder(data_dir: Path, identity: str) -> Iterator[None]:
    """Temporary files of this process go to a folder of its own, which is gone afterwards.

    When the process is killed, the next clean-up finds the folder without an owner.
    """
    folder = data_dir / "tmp" / identity
    with folder_locks.in_use(folder):
        folder.mkdir(mode=0o700)
        before = {"TMPDIR": os.environ["TMPDIR"]} if "TMPDIR" in os.environ else {}
        os.environ["TMPDIR"], tempfile.tempdir = str(folder), None  # None: asks the environment
        try:
            yield
        finally:
            del os.environ["TMPDIR"]
            os.environ.update(before)
            tempfile.tempdir = None
            shutil.rmtree(folder, ignore_errors=True)
    folder_locks.forget(folder)


def _mirrors(data_dir: Path, before: float, most: int, now: float) -> None:
    """Those unused for too long go; of the rest those used longest ago, until they fit."""
    for leftover in data_dir.glob(f"*/*{_GOING}"):
        shutil.rmtree(leftover, ignore_errors=True)
    found = [
        (folder_locks.last_used(path), path)
        for part in ("mirrors", "poll")  # the poll had mirrors of its own once
        for path in (data_dir / part).glob("*.git")
    ]
    total = 0
    for used, gitdir in sorted(found, reverse=True):
        size = size_of(gitdir)
        total += size
        if (used < before or total > most) and _remove(gitdir):
            total -= size
            METER.add("cleaned_bytes", size, what="mirrors")
        elif used >= before:
            _pack(gitdir, now)
    METER.gauge("kept_bytes", total, what="mirrors")


def _remove(gitdir: Path) -> bool:
    with folder_locks.alone(gitdir) as mine:
        if not mine:
            return False
        # At once, so that nobody sees half of it; then in peace.
        going = gitdir.with_name(gitdir.name + _GOING)
        gitdir.rename(going)
    shutil.rmtree(going, ignore_errors=True)
    log.info("removed the mirror %s", gitdir.name)
    return True


def _pack(gitdir: Path, now: float) -> None:
    """Once a week: forget the refs of runs that were killed, and pack what is still needed."""
    with folder_locks.alone(gitdir) as mine:
        if not mine or not _is_due(gitdir / _PACKED, _PACK_SECONDS, now):
            return
        mirror = Mirror(gitdir)
        try:
            listed = mirror.git.run("for-each-ref", "--format=%(refname)", "refs/w/")
            mirror.drop(listed.stdout.decode().split())
            mirror.clean()
        except UserError as error:
            log.warning("cannot pack the mirror %s: %s", gitdir.name, error.message)


def _is_due(mark: Path, every: float, now: float) -> bool:
    """Whether this was not done for so long; from now on it was."""
    if mark.exists() and now - mark.stat().st_mtime < every:
        return False
    mark.touch()
    os.utime(mark, (now, now))
    return True


def _caches(before: float) -> None:
    """Renders and unpacked charts of repositories that nobody asked for; both are made anew."""
    from generator.pipeline import caches

    for what, size in caches.evict(before).items():
        METER.add("cleaned_bytes", size, what=what)
    METER.gauge("kept_bytes", size_of(caches.render_folder()), what="renders")


def _remains(data_dir: Path) -> None:
    """Temporary folders of processes that were killed."""
    found = (data_dir / "tmp").glob("*")
    for folder in (path for path in found if path.is_dir() and not path.is_symlink()):
        with folder_locks.alone(folder) as mine:
            if mine:
                size = size_of(folder)
                shutil.rmtree(folder, ignore_errors=True)
                METER.add("cleaned_bytes", size, what="temporary")
                folder_locks.forget(folder)


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total
