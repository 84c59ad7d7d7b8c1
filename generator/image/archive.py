"""Images in a tar archive on disk: of `docker save`, or of an OCI image layout."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from generator.core.errors import UserError
from generator.image.layers import MAX_JSON, NOT_TAR, Image, Layers, mappings


class Archive(Layers):
    """An archive on disk, opened for reading."""

    def __init__(self, path: Path) -> None:
        """Raises UserError for a file that is not there or is not a tar archive."""
        self.path = path
        try:
            self._tar = tarfile.open(path)  # noqa: SIM115 (closed by `close`)
            self._members = {item.name.removeprefix("./"): item for item in self._tar}
        except FileNotFoundError:
            raise UserError(
                f"{path} not found", hint="an image of a registry is docker://NAME:TAG"
            ) from None
        except NOT_TAR as error:
            raise self.error("not a tar archive of an image") from error

    def close(self) -> None:
        """See Layers."""
        self._tar.close()

    def error(self, message: str) -> UserError:
        """See Layers."""
        return UserError(
            message,
            path=str(self.path),
            hint="make one with `docker save IMAGE -o FILE` or `skopeo copy docker://IMAGE "
            "oci-archive:FILE`, or write the facts by hand with --airflow",
        )

    def images(self) -> tuple[Image, ...]:
        """See Layers."""
        if "manifest.json" in self._members:
            found = tuple(self._saved(self._json("manifest.json")))
        elif "index.json" in self._members:
            found = tuple(self.below(self._json("index.json")))
        else:
            raise self.error("neither manifest.json nor index.json in the archive")
        if not found:
            raise self.error("no image in the archive")
        return found

    def document(self, digest: str) -> Any:
        """See Layers."""
        return self._json(_blob(digest))

    def stream(self, layer: str) -> IO[bytes]:
        """See Layers; a digest stands for its blob in the layout."""
        name = _blob(layer) if layer.startswith("sha") and ":" in layer else layer
        member = self._members.get(name.removeprefix("./"))
        try:
            stream = self._tar.extractfile(member) if member is not None else None
        except NOT_TAR:
            stream = None
        if stream is None:
            raise self.error(f"the archive names {name} but does not contain it")
        return stream

    def _json(self, name: str) -> Any:
        return self.parsed(self.stream(name).read(MAX_JSON + 1), name)

    def _saved(self, entries: Any) -> Iterator[Image]:
        for entry in mappings(entries):
            tags = entry.get("RepoTags")
            names = tags if isinstance(tags, list) else []
            yield self.image(entry.get("Layers"), tuple(map(str, names)))


def _blob(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"
