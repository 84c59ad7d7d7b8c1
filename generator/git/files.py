"""The files of a commit, read from git's objects one by one, when somebody asks for them."""

from __future__ import annotations

import posixpath
import types
from collections.abc import Mapping, Sequence
from typing import Self

from generator.core.errors import UserError
from generator.core.files import MAX_BYTES
from generator.git.objects import Objects
from generator.git.revision import Entry, Revision

_LINK = "120000"
APART = (_LINK, "160000")
"""Modes of what is named and never entered: symbolic links, submodules."""


class GitFiles:
    """See `files.Files`: a revision below the folder `prefix`; use it as a context.

    A work of 200 environments holds 3,000 files, of which a change concerns sixteen: names are
    listed folder by folder, and a file is read when it is asked for, by a git that stays.
    """

    def __init__(self, revision: Revision, prefix: str = "", listed: Sequence[str] = ()) -> None:
        """`listed` are folders and files whose names are listed together, at the first look."""
        self._revision = revision
        self._prefix = prefix
        self._objects = Objects(revision.git)
        self._together = tuple(listed)
        self._listed: dict[str, Mapping[str, Entry]] = {}
        self._read: dict[str, bytes] = {}
        self._above: dict[str, Mapping[str, Entry]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the git behind it; what is read afterwards starts another."""
        self._objects.close()

    def read(self, path: str) -> bytes | None:
        """See Files; raises UserError for a file that is too large or cannot be read."""
        if path in self._read:
            return self._read[path]
        entry = self._entries(path).get(path)
        if entry is None or entry.fault:
            return None
        try:
            content = self._objects.read(entry.oid, max_size=MAX_BYTES)
        except UserError as error:
            raise UserError(error.message, path=path, hint=error.hint) from None
        if content is None:
            raise UserError(f"larger than {MAX_BYTES // 1024**2} MiB", path=path)
        self._read[path] = content
        return content

    def below(self, folder: str) -> list[str]:
        """See Files."""
        return [path for path, entry in self._within(folder) if not entry.fault]

    def links(self, folder: str) -> list[str]:
        """See Files."""
        return [path for path, entry in self._within(folder) if entry.mode in APART]

    def entries(self, folder: str) -> list[tuple[str, str]]:
        """See Files."""
        own = self._entries(folder).get(folder)
        found = [(folder, own.fault)] if own is not None and own.mode != _LINK else []
        return [*found, *((path, entry.fault) for path, entry in self._within(folder))]

    def _within(self, folder: str) -> list[tuple[str, Entry]]:
        """The entries below a folder; a link in its place counts as one of them."""
        entries = self._entries(folder)
        start = f"{folder}/" if folder else ""
        inside = [(path, entry) for path, entry in entries.items() if path.startswith(start)]
        own = entries.get(folder)
        return [(folder, own), *inside] if own is not None and own.mode == _LINK else inside

    def _entries(self, path: str) -> Mapping[str, Entry]:
        """The names that a listed folder above `path` holds, or those at and below `path`."""
        if path.startswith("../"):
            return self._higher(path)
        if self._together and not self._listed:
            self._listed = self._split(self._together)
        for folder, entries in self._listed.items():
            if folder in ("", path) or path.startswith(f"{folder}/"):
                return entries
        self._listed[path] = self._split((path,))[path]
        return self._listed[path]

    def _higher(self, path: str) -> Mapping[str, Entry]:
        """One file above the prefix."""
        if path not in self._above:
            place = posixpath.normpath(f"{self._prefix}{path}")
            listed = () if place.startswith("../") else self._revision.list_names(place)
            own = [entry for entry in listed if entry.path == place]
            self._above[path] = dict.fromkeys([path], own[0]) if own else {}
        return self._above[path]

    def _split(self, folders: Sequence[str]) -> dict[str, Mapping[str, Entry]]:
        """One listing of all these folders, apart."""
        wanted = [f"{self._prefix}{folder}".rstrip("/") for folder in folders]
        by_folder: dict[str, dict[str, Entry]] = {folder: {} for folder in folders}
        for entry in self._revision.list_names(*wanted):
            path = entry.path.removeprefix(self._prefix)
            for folder in folders:
                if folder in ("", path) or path.startswith(f"{folder}/"):
                    by_folder[folder][path] = entry
        return dict(by_folder)
