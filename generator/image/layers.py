"""The layers of an image in a tar archive: `docker save`, or an OCI image layout."""

from __future__ import annotations

import dataclasses
import json
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError

_MAX_JSON = 4 << 20
_MAX_DEPTH = 4
_MAX_LAYERS = 500
_MAX_MEMBERS = 5_000_000
_MAX_BYTES = 64 << 30
_INDEXES = ("index", "manifest.list")
# A link that leads nowhere is a KeyError in tarfile, and one that leads to itself a recursion.
_NOT_TAR = (tarfile.TarError, EOFError, OSError, ValueError, KeyError, RecursionError,
            lzma.LZMAError, zlib.error)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """One image of an archive: its layers from the lowest up, and what names it.

    `digests` are its manifest's and those of the indexes above it; an archive of `docker save` has
    none, as the registry's digest is made when the image is pushed.
    """

    layers: tuple[str, ...]
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    platform: str = ""


class Archive:
    """An archive on disk, opened for reading; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises UserError for a file that is not there or is not a tar archive."""
        self.path = path
        try:
            self._tar = tarfile.open(path)  # noqa: SIM115 (closed by __exit__)
            self._members = {item.name.removeprefix("./"): item for item in self._tar}
        except FileNotFoundError:
            raise UserError(f"{path} not found") from None
        except _NOT_TAR as error:
            raise self.error("not a tar archive of an image") from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def error(self, message: str) -> UserError:
        """An error about this archive."""
        return UserError(
            message,
            path=str(self.path),
            hint="make one with `docker save IMAGE -o FILE` or `skopeo copy docker://IMAGE "
            "oci-archive:FILE`, or write the facts by hand with --airflow",
        )

    def images(self) -> tuple[Image, ...]:
        """Every image in it. Raises UserError where there is none, or its files are broken."""
        if "manifest.json" in self._members:
            found = tuple(self._saved(self._json("manifest.json")))
        elif "index.json" in self._members:
            found = tuple(self._below(self._json("index.json"), (), 0))
        else:
            raise self.error("neither manifest.json nor index.json in the archive")
        if not found:
            raise self.error("no image in the archive")
        return found

    def files(self, layer: str) -> Iterator[tarfile.TarInfo]:
        """The entries of one layer; contents are skipped, never kept."""
        stream = self._stream(layer)
        total = 0
        try:
            with tarfile.open(fileobj=stream, mode="r|*") as tar:
                for count, member in enumerate(tar):
                    total += member.size
                    if count > _MAX_MEMBERS or total > _MAX_BYTES:
                        raise self.error(f"layer {layer} is larger than any image")
                    yield member
        except _NOT_TAR as error:
            raise self.error(
                f"layer {layer} cannot be read: not a tar archive, cut short, or packed with zstd"
            ) from error

    def _stream(self, name: str) -> Any:
        member = self._members.get(name.removeprefix("./"))
        try:
            stream = self._tar.extractfile(member) if member is not None else None
        except _NOT_TAR:
            stream = None
        if stream is None:
            raise self.error(f"the archive names {name} but does not contain it")
        return stream

    def _json(self, name: str) -> Any:
        stream = self._stream(name)
        try:
            data = stream.read(_MAX_JSON + 1)
            if len(data) > _MAX_JSON:
                raise ValueError("too large")
            return json.loads(data)
        except _NOT_TAR as error:
            raise self.error(f"{name} is not valid JSON") from error

    def _saved(self, entries: Any) -> Iterator[Image]:
        for entry in _mappings(entries):
            tags = entry.get("RepoTags")
            names = tags if isinstance(tags, list) else []
            yield self._image(entry.get("Layers"), tuple(map(str, names)))

    def _below(self, index: Any, above: tuple[str, ...], depth: int) -> Iterator[Image]:
        if depth > _MAX_DEPTH or not isinstance(index, Mapping):
            raise self.error("the indexes of the archive are broken")
        for entry in _mappings(index.get("manifests")):
            digest = str(entry.get("digest") or "")
            name = _blob(digest)
            document = self._json(name)
            if not isinstance(document, Mapping):
                raise self.error(f"{name} is not the manifest of an image")
            platform = entry.get("platform")
            system = platform.get("os") if isinstance(platform, Mapping) else ""
            if system == "unknown":
                continue  # attestations beside an image, which BuildKit marks so
            media = str(entry.get("mediaType") or "")
            if any(word in media for word in _INDEXES) or "manifests" in document:
                yield from self._below(document, (digest, *above), depth + 1)
                continue
            layers = [_blob(str(item.get("digest"))) for item in _mappings(document.get("layers"))]
            yield self._image(layers, _names(entry), (digest, *above), _platform(platform))

    def _image(self, layers: Any, tags: tuple[str, ...], digests: tuple[str, ...] = (),
               platform: str = "") -> Image:  # fmt: skip
        names = layers if isinstance(layers, list) else []
        if not names or len(names) > _MAX_LAYERS:
            raise self.error(f"an image with {len(names)} layers")
        return Image(tuple(map(str, names)), tags, digests, platform)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _blob(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"


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
