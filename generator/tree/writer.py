"""Writing to a user's repository: everything, or nothing at all."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.core.errors import UserError
from generator.tree.plan import Plan


def apply(root: Path, plan: Plan) -> None:
    """Carry a plan out below `root`.

    A failure or an interruption in the middle puts every file back as it was; raises UserError
    for what the disk refuses, and for a path that leads out of `root` through a link.
    """
    with reversible(root, plan):
        pass


@contextlib.contextmanager
def reversible(root: Path, plan: Plan) -> Iterator[None]:
    """The same, for a block that may still fail: the files then are as they were before.

    Everything that needs space is written first, beside its target; from then on there are only
    renames, forth or back, which succeed on a full disk too.
    """
    with _all_or_nothing(root) as journal:
        staged = [_staged(root, path, text.encode(), journal) for path, text in plan.writes.items()]
        for target, temporary in staged:
            _keep(target, journal)
            temporary.replace(target)
        for path in plan.removals:
            target = _inside(root, path)
            _keep(target, journal)
            target.unlink()
        yield
    for path in plan.removals:
        _prune(root, (root / path).parent)


@dataclasses.dataclass
class _Journal:
    """How to come back: what undoes each step, files of our own, folders that we made."""

    steps: list[Callable[[], object]] = dataclasses.field(default_factory=list)
    ours: list[Path] = dataclasses.field(default_factory=list)
    folders: list[Path] = dataclasses.field(default_factory=list)

    def tidy(self) -> None:
        for path in self.ours:
            path.unlink(missing_ok=True)

    def roll_back(self) -> None:
        for step in reversed(self.steps):
            step()
        self.tidy()
        for folder in reversed(self.folders):
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def _all_or_nothing(root: Path) -> Iterator[_Journal]:
    journal = _Journal()
    try:
        yield journal
    except BaseException as error:
        journal.roll_back()
        if isinstance(error, OSError):
            name = Path(str(error.filename or root))
            raise UserError(
                f"cannot write: {error.strerror}",
                path=name.name if name == root else _shown(root, name),
                hint="nothing was changed; check permissions and space, then run it again",
            ) from None
        raise
    journal.tidy()


def _shown(root: Path, place: Path) -> str:
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name


def _staged(root: Path, path: str, content: bytes, journal: _Journal) -> tuple[Path, Path]:
    """The target and, beside it, its new content: a reader sees the old file or the new one."""
    target = _inside(root, path)
    _make_folders(root, target.parent, journal)
    handle, name = tempfile.mkstemp(prefix=".gen-env-", dir=target.parent)
    temporary = Path(name)
    journal.ours.append(temporary)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.chmod(target.stat().st_mode & 0o777 if target.is_file() else 0o644)
    return target, temporary


def _keep(target: Path, journal: _Journal) -> None:
    """Note how this file comes back; its old content waits under another name."""
    if not target.exists():
        journal.steps.append(functools.partial(target.unlink, missing_ok=True))
        return
    backup = target.with_name(f".gen-env-{target.name}.old")
    backup.unlink(missing_ok=True)
    journal.ours.append(backup)
    try:
        backup.hardlink_to(target)
    except OSError:
        shutil.copy2(target, backup)
    journal.steps.append(functools.partial(backup.replace, target))


def _make_folders(root: Path, folder: Path, journal: _Journal) -> None:
    # The mode is ours, whatever the umask: the same tree for everybody.
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed([place for place in missing if place.is_relative_to(root)]):
        journal.folders.append(place)
        place.mkdir(exist_ok=True)
        place.chmod(0o755)


def _inside(root: Path, path: str) -> Path:
    place = root
    for part in Path(path).parts:
        if part in ("..", "/"):
            raise UserError("this path is outside the repository", path=path)
        place = place / part
        if place.is_symlink():
            raise UserError(
                "a symbolic link is in the way; it is not followed",
                path=path,
                hint="replace it by a file or a folder",
            )
    return place


def _prune(root: Path, folder: Path) -> None:
    """Remove folders that became empty, up to the root."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
