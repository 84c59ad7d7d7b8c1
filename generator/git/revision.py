"""Files of a revision, read from git's objects: nothing is checked out, nothing is run."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from generator.core.errors import UserError
from generator.core.process import Completed
from generator.git import names
from generator.git.command import Git, words_of

_KINDS = {b"100644": "", b"100755": "", b"120000": "a symbolic link", b"160000": "a submodule"}
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

MAX_BLOB = 1 << 20
MAX_TOTAL = 256 << 20
MAX_FILES = 50_000


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file of a tree; `fault` says why it must not be read, and is empty for a plain file.

    A name that is not fit to be shown has its odd characters written as escapes.
    """

    path: str
    mode: str
    oid: str
    size: int
    fault: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Revision:
    """A commit (or a bare tree, as a merge makes it) in the repository that `git` works in."""

    git: Git
    sha: str

    def list_files(self, *under: str, max_files: int = MAX_FILES) -> list[Entry]:
        """Every file below these folders (or that very file), else of all, by path.

        Links are not followed. Raises UserError when the revision cannot be read or holds more
        than `max_files` there.
        """
        return sorted(map(_entry, self._list(under, max_files, "-l")))

    def list_names(self, *under: str, max_files: int = MAX_FILES) -> list[Entry]:
        """As `list_files`, with all sizes 0.

        To tell a size git opens the object, which takes longer than all the rest.
        """
        return sorted(map(_unsized, self._list(under, max_files)), key=_path)

    def _list(self, under: Sequence[str], max_files: int, *options: str) -> list[bytes]:
        folders = [item.strip("/") for item in under]
        arguments = ["ls-tree", "-r", "-z", *options, "--full-tree", "--end-of-options", self.sha]
        if folders and all(folders):
            arguments += ["--", *folders]
        output = _done(self.git.run(*arguments, check=False), self.sha).stdout
        records = output.split(b"\0")[:-1]
        if len(records) > max_files:
            raise UserError(f"more than {max_files:,} files", path=", ".join(folders))
        return records

    def read_blobs(
        self, oids: Iterable[str], *, max_size: int = MAX_BLOB, max_total: int = MAX_TOTAL
    ) -> dict[str, bytes]:
        """The content of blobs by their ids: see `read_blobs`."""
        return read_blobs(self.git, oids, max_size=max_size, max_total=max_total)

    def read_tree(
        self, *under: str, max_size: int = MAX_BLOB
    ) -> tuple[dict[str, bytes], list[Entry]]:
        """The content of the plain files below these folders by path, and the entries left unread.

        Files beyond `max_size` are among those, with that as their fault.
        """
        entries = [_sized(entry, max_size) for entry in self.list_files(*under)]
        sizes = {entry.oid: entry.size for entry in entries if not entry.fault}
        _check_total(sum(sizes.values()), MAX_TOTAL)
        blobs = _contents(self.git, sorted(sizes))
        content = {entry.path: blobs[entry.oid] for entry in entries if not entry.fault}
        return content, [entry for entry in entries if entry.fault]

    def read_file(self, path: str, *, max_size: int = MAX_BLOB) -> bytes | None:
        """The content of one file, None when there is none; UserError for links and big files."""
        entries = [entry for entry in self.list_files(path) if entry.path == path.strip("/")]
        if not entries:
            return None
        entry = _sized(entries[0], max_size)
        if entry.fault:
            raise UserError(f"cannot read this file: {entry.fault}", path=path)
        return _contents(self.git, [entry.oid])[entry.oid]


def read_blobs(
    git: Git, oids: Iterable[str], *, max_size: int = MAX_BLOB, max_total: int = MAX_TOTAL
) -> dict[str, bytes]:
    """The content of blobs by their ids, all from one process, their sizes checked first.

    Raises UserError for an id that is missing or no blob, for one beyond `max_size` bytes and for
    more than `max_total` together.
    """
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    if odd := [oid for oid in wanted if not _OID.fullmatch(oid)]:
        raise UserError(f"invalid object id {odd[0]!r}")
    sizes = git.run("cat-file", "--batch-check", stdin=_lines(wanted)).stdout
    _check_sizes(sizes, max_size, max_total)
    return _contents(git, wanted)


def _contents(git: Git, oids: Sequence[str]) -> dict[str, bytes]:
    """The content of blobs whose sizes were looked at."""
    if not oids:
        return {}
    return _batch(
        git.run("cat-file", "--batch", "--buffer", stdin=_lines(oids), timeout=300).stdout
    )


def _lines(oids: Sequence[str]) -> bytes:
    return "".join(f"{oid}\n" for oid in oids).encode()


def _check_sizes(output: bytes, max_size: int, max_total: int) -> None:
    total = 0
    for line in output.decode().splitlines():
        oid, kind, *size = line.split(" ")
        if kind != "blob":
            raise UserError(f"git has no file content {oid} ({kind})")
        if int(size[0]) > max_size:
            raise UserError(f"a file is larger than {max_size:,} bytes ({oid})")
        total += int(size[0])
    _check_total(total, max_total)


def _check_total(total: int, max_total: int) -> None:
    if total > max_total:
        raise UserError(f"the files hold more than {max_total:,} bytes together")


def _batch(output: bytes) -> dict[str, bytes]:
    blobs = {}
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        oid, _, size = output[at:end].decode().split(" ")
        start, at = end + 1, end + 1 + int(size) + 1
        blobs[oid] = output[start : at - 1]
    return blobs


def _entry(record: bytes) -> Entry:
    facts, _, name = record.partition(b"\t")
    mode, _, oid, size = facts.split()
    path, fault = names.shown(name)
    return Entry(
        path=path,
        mode=mode.decode(),
        oid=oid.decode(),
        size=int(size) if size != b"-" else 0,
        fault=_KINDS.get(mode, "an unknown kind of entry") or fault,
    )


def _unsized(record: bytes) -> Entry:
    facts, _, name = record.partition(b"\t")
    mode, _, oid = facts.split()
    path, fault = names.shown(name)
    fault = _KINDS.get(mode, "an unknown kind of entry") or fault
    return Entry(path, mode.decode(), oid.decode(), 0, fault)


def _path(entry: Entry) -> str:
    return entry.path


def _sized(entry: Entry, max_size: int) -> Entry:
    if entry.fault or entry.size <= max_size:
        return entry
    return dataclasses.replace(entry, fault=f"larger than {max_size:,} bytes")


def _done(completed: Completed, sha: str) -> Completed:
    if completed.status != 0:
        raise UserError(f"git cannot read the revision {sha}: {words_of(completed, 1)}")
    return completed
