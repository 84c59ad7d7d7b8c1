"""What an image consists of, wherever it is kept: manifests below an index, and layers."""

from __future__ import annotations

import abc
import dataclasses
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any, Self

from generator.core.errors import UserError

MAX_JSON = 4 << 20
_MAX_DEPTH = 4
_MAX_LAYERS = 500
_MAX_MEMBERS = 5_000_000
_MAX_BYTES = 64 << 30
_INDEXES = ("index", "manifest.list")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_ZSTD = b"\x28\xb5\x2f\xfd"
# A link that leads nowhere is a KeyError in tarfile, and one that leads to itself a recursion.
NOT_TAR = (tarfile.TarError, EOFError, OSError, ValueError, KeyError, RecursionError,
           lzma.LZMAError, zlib.error)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """One image: its layers from the lowest up, and what names it.

    `digests` are its manifest's and those of the indexes above it; an archive of `docker save` has
    none, as the registry's digest is made when the image is pushed.
    """

    layers: tuple[str, ...]
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    platform: str = ""


class Layers(abc.ABC):
    """A place with images; use it as a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what was opened."""

    @abc.abstractmethod
    def error(self, message: str) -> UserError:
        """An error about this place."""

    @abc.abstractmethod
    def images(self) -> tuple[Image, ...]:
        """Every image in it. Raises UserError where there is none, or its files are broken."""

    @abc.abstractmethod
    def document(self, digest: str) -> Any:
        """The manifest or index of this digest, parsed. Raises UserError."""

    @abc.abstractmethod
    def stream(self, layer: str) -> IO[bytes]:
        """The bytes of a layer as they are kept, in a file that can seek. Raises UserError."""

    def files(self, layer: str) -> Iterator[tarfile.TarInfo]:
        """The entries of one layer; contents are skipped, never kept. Raises UserError."""
        total = 0
        broken: tuple[type[Exception], ...] = (*NOT_TAR, *_zstd_errors())
        try:
            with (
                self.stream(layer) as packed,
                tarfile.open(fileobj=_plain(packed), mode="r|*") as tar,
            ):
                for count, member in enumerate(tar):
                    total += member.size
                    if count > _MAX_MEMBERS or total > _MAX_BYTES:
                        raise self.error(f"layer {layer} is larger than any image")
                    yield member
        except broken as error:
            raise self.error(
                f"layer {layer} cannot be read: not a tar archive, or cut short"
            ) from error

    def below(self, index: Any, above: tuple[str, ...] = (), depth: int = 0) -> Iterator[Image]:
        """The images that an index names, those of indexes in it too. Raises UserError."""
        if depth > _MAX_DEPTH or not isinstance(index, Mapping):
            raise self.error("the index is broken")
        for entry in mappings(index.get("manifests")):
            digest = self._digest(entry)
            platform = entry.get("platform")
            if isinstance(platform, Mapping) and platform.get("os") == "unknown":
                continue  # attestations beside an image, which BuildKit marks so
            document = self.document(digest)
            if not isinstance(document, Mapping):
                raise self.error(f"{digest} is not the manifest of an image")
            media = str(entry.get("mediaType") or "")
            if any(word in media for word in _INDEXES) or "manifests" in document:
                yield from self.below(document, (digest, *above), depth + 1)
                continue
            layers = [self._digest(item) for item in mappings(document.get("layers"))]
            yield self.image(layers, _names(entry), (digest, *above), _platform(platform))

    def image(self, layers: Any, tags: tuple[str, ...], digests: tuple[str, ...] = (),
              platform: str = "") -> Image:  # fmt: skip
        """An image of these layers. Raises UserError for none, and for too many."""
        names = layers if isinstance(layers, list) else []
        if not names or len(names) > _MAX_LAYERS:
            raise self.error(f"an image with {len(names)} layers")
        return Image(tuple(map(str, names)), tags, digests, platform)

    def parsed(self, data: bytes, name: str) -> Any:
        """JSON of at most 4 MiB. Raises UserError."""
        try:
            if len(data) > MAX_JSON:
                raise ValueError("too large")
            return json.loads(data)
        except NOT_TAR as error:
            raise self.error(f"{name} is not valid JSON") from error

    def _digest(self, entry: Mapping[str, Any]) -> str:
        digest = str(entry.get("digest") or "")
        if not _DIGEST.fullmatch(digest):
            raise self.error(f"{digest[:80]!r} is not a digest")
        return digest


def _plain(packed: IO[bytes]) -> IO[bytes]:
    """A layer for `tarfile`, which unpacks all but zstd itself."""
    start = packed.read(len(_ZSTD))
    packed.seek(0)
    if start != _ZSTD:
        return packed
    import zstandard

    return zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)


def _zstd_errors() -> tuple[type[Exception], ...]:
    import zstandard

    return (zstandard.ZstdError,)


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; nothing for other values."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that `docker`, `skopeo` and containerd write beside a manifest."""
    notes = entry.get("annotations")
    known = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
    values = [notes.get(name) for name in known] if isinstance(notes, Mapping) else []
    return tuple(str(value) for value in values if value)


def _platform(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    return "/".join(str(value[key]) for key in ("os", "architecture", "variant") if value.get(key))
