"""Writing to a user's repository: everything, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generator.errors import UserError
from generator.plan import Plan


def apply(root: Path, plan: Plan) -> None:
    """Carry a plan out below `root`.

    A failure or an interruption in the middle puts every file back as it was; raises UserError
    for what the disk refuses, and for a path that leads out of `root` through a link.
    """
    with reversible(root, plan):
        pass


@contextlib.contextmanager
def reversible(root: Path, plan: Plan) -> Iterator[None]:
    """The same, for a block that may still fail: the files then are as they were before."""
    with _all_or_nothing(root) as undo:
        for path, text in plan.writes.items():
            _write(root, path, text.encode(), undo)
        for path in plan.removals:
            target = _inside(root, path)
            undo.append((target, target.read_bytes()))
            target.unlink()
        yield
    for path in plan.removals:
        _prune(root, (root / path).parent)


@contextlib.contextmanager
def _all_or_nothing(root: Path) -> Iterator[list[tuple[Path, bytes | None]]]:
    undo: list[tuple[Path, bytes | None]] = []
    try:
        yield undo
    except BaseException as error:
        for target, before in reversed(undo):
            if before is None:
                target.unlink(missing_ok=True)
                _prune(root, target.parent)
            else:
                target.write_bytes(before)
        if isinstance(error, OSError):
            name = Path(str(error.filename or root))
            raise UserError(
                f"cannot write: {error.strerror}",
                path=name.name if name == root else _shown(root, name),
                hint="nothing was changed; check permissions and space, then run it again",
            ) from None
        raise


def _shown(root: Path, place: Path) -> str:
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name


def _write(root: Path, path: str, content: bytes, undo: list[tuple[Path, bytes | None]]) -> None:
    target = _inside(root, path)
    before = target.read_bytes() if target.is_file() else None
    _make_folders(root, target.parent)
    # Beside the target and then over it: a reader sees the old file or the new one, never half.
    handle, name = tempfile.mkstemp(prefix=".gen-env-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(target.stat().st_mode & 0o777 if before is not None else 0o644)
        undo.append((target, before))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _make_folders(root: Path, folder: Path) -> None:
    # The mode is ours, whatever the umask: the same tree for everybody.
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed([place for place in missing if place.is_relative_to(root)]):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)


def _inside(root: Path, path: str) -> Path:
    place = root
    for part in Path(path).parts:
        if part in ("..", "/"):
            raise UserError("this path leads out of the repository", path=path)
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
