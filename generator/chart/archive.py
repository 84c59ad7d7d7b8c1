"""A chart archive's bytes: unpacked in memory within limits, or packed from files."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from generator.core.errors import UserError

# Helm's own ceilings (helm.sh/helm/v4/pkg/chart/loader/archive: MaxDecompressedChartSize and
# MaxDecompressedFileSize); the first also keeps a gzip bomb out of memory.
MAX_TOTAL = 100 * 1024 * 1024
MAX_FILE = 5 * 1024 * 1024
MAX_PACKED = 32 * 1024 * 1024
MAX_MEMBERS = 10_000

_BLOCK = 0xFFFF
_DRIVE = re.compile(r"[A-Za-z]:")
_SKIPPED = (tarfile.XGLTYPE, tarfile.XHDTYPE)


class ArchiveError(UserError):
    """The bytes are not an archive that we would unpack."""

    def __init__(self, message: str, *, unsafe: bool = False) -> None:
        super().__init__(message)
        self.unsafe = unsafe


def unpack(data: bytes) -> Mapping[str, bytes]:
    """The files of a gzipped tar below its one root folder: path (no root) → content, sorted.

    Nothing touches the disk. Raises ArchiveError for what is not a gzipped tar, for links, devices,
    paths that lead out, repeated paths, several roots, and anything past the limits above.
    """
    files: dict[str, bytes] = {}
    roots: set[str] = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(_decompress(data)), mode="r:") as archive:
            for count, member in enumerate(archive):
                if count >= MAX_MEMBERS:
                    raise ArchiveError(f"more than {MAX_MEMBERS} files", unsafe=True)
                if member.isdir() or member.type in _SKIPPED:
                    continue
                root, path = _place(member)
                roots.add(root)
                _check_place(path, roots, files)
                files[path] = _content(archive, member)
    except (tarfile.TarError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise ArchiveError(f"not a tar archive ({type(error).__name__})") from error
    return MappingProxyType(dict(sorted(files.items())))


def _decompress(data: bytes) -> bytes:
    if len(data) > MAX_PACKED:
        raise ArchiveError(f"larger than {MAX_PACKED >> 20} MiB", unsafe=True)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(MAX_TOTAL + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError("not a gzip file, or cut short") from error
    if len(content) > MAX_TOTAL:
        raise ArchiveError(f"unpacks to more than {MAX_TOTAL >> 20} MiB", unsafe=True)
    return content


def _place(member: tarfile.TarInfo) -> tuple[str, str]:
    if not member.isreg():
        raise ArchiveError(f"`{_shown(member.name)}` is a link or a device", unsafe=True)
    name = member.name.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or "\0" in name or ".." in name.split("/"):
        raise ArchiveError(f"`{_shown(name)}` points outside the chart", unsafe=True)
    root, _, path = name.removeprefix("./").partition("/")
    if not root or not path:
        raise ArchiveError(f"`{_shown(name)}` is outside the chart's folder")
    return root, path


def _check_place(path: str, roots: set[str], files: Mapping[str, bytes]) -> None:
    if len(roots) > 1:
        raise ArchiveError(f"several root folders: {', '.join(map(_shown, sorted(roots)))}")
    if path in files:
        raise ArchiveError(f"the archive contains `{_shown(path)}` twice", unsafe=True)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_FILE:
        raise ArchiveError(f"`{_shown(member.name)}` is larger than {MAX_FILE >> 20} MiB")
    stream = archive.extractfile(member)
    content = stream.read() if stream else b""
    if len(content) != member.size:
        raise ArchiveError("not a whole tar archive: it is cut short")
    return content


def _shown(name: str) -> str:
    """A name out of an untrusted archive, short and printable."""
    return "".join(c if c.isprintable() else "?" for c in name)[:120]


def pack(root: str, files: Mapping[str, bytes]) -> bytes:
    """The files as a gzipped tar below `root`: the same files give the same bytes, always."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"{root}/{path}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return _stored(buffer.getvalue())


def _stored(data: bytes) -> bytes:
    """A gzip file (RFC 1952) of uncompressed blocks (RFC 1951, 3.2.4).

    Compressed bytes differ between versions of zlib, and with them the digest that locks hold.
    """
    blocks = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)] or [b""]
    parts = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<II", zlib.crc32(data), len(data)))
    return b"".join(parts)
