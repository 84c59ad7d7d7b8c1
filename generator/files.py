"""Where a repository's files are read from: a work tree, a revision, or a mapping."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from generator.errors import UserError

MAX_BYTES = 4 * 1024 * 1024
"""No file that gen-env reads from a repository is larger."""


class Files(Protocol):
    """Read access to the files of one repository at one moment."""

    def read(self, path: str) -> bytes | None:
        """The content, or None where there is no such regular file."""

    def below(self, folder: str) -> Iterable[str]:
        """Paths of the regular files below `folder`, sorted; links are not followed."""

    def links(self, folder: str) -> Iterable[str]:
        """Paths of symbolic links below `folder`, sorted: findings, never followed."""


@dataclasses.dataclass(frozen=True, slots=True)
class WorkTree:
    """The files on disk below `root`."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """See Files; raises UserError for what cannot be read or is too large."""
        place = self.root / path
        if self._through_link(path) or not place.is_file():
            return None
        try:
            if place.stat().st_size > MAX_BYTES:
                raise UserError(f"larger than {MAX_BYTES // 1024**2} MiB", path=path)
            return place.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read: {error.strerror}", path=path) from None

    def below(self, folder: str) -> Iterable[str]:
        """See Files."""
        return sorted(path for path, link in self._walk(folder) if not link)

    def links(self, folder: str) -> Iterable[str]:
        """See Files."""
        return sorted(path for path, link in self._walk(folder) if link)

    def _walk(self, folder: str) -> Iterable[tuple[str, bool]]:
        top = self.root / folder
        if self._through_link(folder):
            yield folder, True
            return
        for parent, directories, names in os.walk(top):
            here = Path(parent)
            for name in [*names, *directories]:
                place = here / name
                relative = place.relative_to(self.root).as_posix()
                if place.is_symlink():
                    yield relative, True
                elif name in names:
                    yield relative, False

    def _through_link(self, path: str) -> bool:
        place = self.root
        for part in Path(path).parts:
            place = place / part
            if place.is_symlink():
                return True
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """Files held in memory: a revision read from git, or what a test needs."""

    contents: Mapping[str, bytes]
    symlinks: tuple[str, ...] = ()

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
