"""Where a repository's files are read from: a work tree, a revision, or a mapping."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from generator.core.errors import UserError

MAX_BYTES = 4 * 1024 * 1024
"""No file that gen-env reads from a repository is larger."""


class Files(Protocol):
    """Read access to the files of one repository at one moment."""

    def read(self, path: str) -> bytes | None:
        """The content, or None where there is no such regular file."""

    def below(self, folder: str) -> Iterable[str]:
        """Paths of the regular files below `folder`, sorted; links are not followed."""

    def links(self, folder: str) -> Iterable[str]:
        """Paths of symbolic links and submodules below `folder`, sorted: findings, not entered."""

    def entries(self, folder: str) -> Iterable[tuple[str, str]]:
        """Everything at or below `folder`, sorted: its path, and why it is not read ('': it is)."""


LINK = "a symbolic link or a submodule"
"""Why an entry is not read, where nothing more exact is known."""


@dataclasses.dataclass(frozen=True, slots=True)
class WorkTree:
    """The files on disk below `root`."""

    root: Path
    modules: frozenset[str] = frozenset()
    """Folders that git's index has as submodules: not entered, checked out or not."""
    _plain: set[str] = dataclasses.field(default_factory=set, init=False, repr=False, compare=False)

    def read(self, path: str) -> bytes | None:
        """See Files; raises UserError for what cannot be read or is too large."""
        if self._through_link(path.rpartition("/")[0]):
            return None
        place = os.path.join(self._top, path)  # noqa: PTH118, three times as quick
        try:
            about = os.lstat(place)
        except OSError:
            return None
        if not stat.S_ISREG(about.st_mode):
            return None
        if about.st_size > MAX_BYTES:
            raise UserError(f"larger than {MAX_BYTES // 1024**2} MiB", path=path)
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise UserError(f"cannot read: {error.strerror}", path=path) from None

    def below(self, folder: str) -> Iterable[str]:
        """See Files."""
        return sorted(path for path, link in self._walk(folder) if not link)

    def links(self, folder: str) -> Iterable[str]:
        """See Files."""
        return sorted(path for path, link in self._walk(folder) if link)

    def entries(self, folder: str) -> Iterable[tuple[str, str]]:
        """See Files."""
        reasons = [(path, LINK if link else "") for path, link in self._walk(folder)]
        if folder and not reasons and os.path.isfile(os.path.join(self._top, folder)):  # noqa: PTH113, PTH118
            return [(folder, "")]
        return sorted(reasons)

    @property
    def _top(self) -> str:
        return os.fspath(self.root)

    def _walk(self, folder: str) -> Iterable[tuple[str, bool]]:
        if self._through_link(folder):
            yield folder, True
            return
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            try:
                entries = list(os.scandir(os.path.join(self._top, here)))  # noqa: PTH118
            except OSError:
                continue
            if here != folder and any(entry.name == ".git" for entry in entries):
                yield here, True
                continue
            for entry in entries:
                path = f"{here}/{entry.name}" if here else entry.name
                if entry.is_symlink() or path in self.modules:
                    yield path, True
                elif entry.is_dir():
                    waiting.append(path)
                else:
                    yield path, False

    def _through_link(self, folder: str) -> bool:
        """Whether a link is among the folders on the way; what is none is not looked at again."""
        if not folder or folder in self._plain:
            return False
        if self._through_link(folder.rpartition("/")[0]):
            return True
        if folder in self.modules or os.path.islink(os.path.join(self._top, folder)):  # noqa: PTH114, PTH118
            return True
        self._plain.add(folder)
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """Files held in memory: a revision read from git, or what a test needs."""

    contents: Mapping[str, bytes]
    symlinks: tuple[str, ...] = ()
    unread: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further files that are there and were not read, each with the reason."""

    def read(self, path: str) -> bytes | None:
        """See Files."""
        return self.contents.get(path)

    def below(self, folder: str) -> Iterable[str]:
        """See Files."""
        prefix = f"{folder}/" if folder else ""
        return sorted(path for path in self.contents if path.startswith(prefix))

    def links(self, folder: str) -> Iterable[str]:
        """See Files."""
        prefix = f"{folder}/" if folder else ""
        return sorted(path for path in self.symlinks if path.startswith(prefix))

    def entries(self, folder: str) -> Iterable[tuple[str, str]]:
        """See Files."""
        reasons = {**dict.fromkeys(self.contents, ""), **self.unread}
        reasons |= dict.fromkeys(self.symlinks, LINK)
        prefix = f"{folder}/" if folder else ""
        return sorted(
            item for item in reasons.items() if item[0].startswith(prefix) or item[0] == folder
        )


@dataclasses.dataclass(frozen=True)
class Overlay:
    """Files with a plan already carried out on them: what `generate` would leave."""

    files: Files
    writes: Mapping[str, bytes]
    removals: frozenset[str] = frozenset()

    def read(self, path: str) -> bytes | None:
        """See Files."""
        if path in self.removals:
            return None
        return self.writes[path] if path in self.writes else self.files.read(path)

    def below(self, folder: str) -> list[str]:
        """See Files."""
        prefix = f"{folder}/" if folder else ""
        added = {path for path in self.writes if path.startswith(prefix)}
        return sorted({*self.files.below(folder), *added} - self.removals)

    def links(self, folder: str) -> list[str]:
        """See Files."""
        return list(self.files.links(folder))

    def entries(self, folder: str) -> list[tuple[str, str]]:
        """See Files."""
        prefix = f"{folder}/" if folder else ""
        reasons = {
            path: why for path, why in self.files.entries(folder) if path not in self.removals
        }
        added = (path for path in self.writes if path.startswith(prefix) or path == folder)
        return sorted({**reasons, **dict.fromkeys(added, "")}.items())
