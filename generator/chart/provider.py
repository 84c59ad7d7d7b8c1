"""The chart archives that environments are rendered with: at hand, or fetched."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from generator.chart.cache import ChartCache
from generator.chart.chart import ChartArchive

_NAME = "airflow"


@dataclasses.dataclass(frozen=True, slots=True)
class Charts:
    """Where chart archives are found: in the repository itself, in a cache, then in a source.

    `vendored` opens the chart that the repository carries (None where there is none), which is then
    the only one that its definitions mean. `fetch` tries to bring a version into the cache and says
    why it could not.
    """

    cache: ChartCache
    fetch: Callable[[str], str] | None = None
    vendored: Callable[[], ChartArchive | None] | None = None
    _found: dict[tuple[str, str], ChartArchive] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _located: dict[tuple[str, str], Path] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def find(self, version: str, digest: str | None) -> ChartArchive | None:
        """The official chart, or None where none is to be had.

        Raises ChartError for a broken archive, and where all that is to be had is an archive of
        that version with another digest than the lock's.
        """
        archive = self._kept(version, digest or "")
        if archive is None and self.fetch is not None and not self.fetch(version):
            archive = self._kept(version, digest or "")
        if archive is None:
            self._refuse_another(version, digest or "")
        return archive

    def locate(self, version: str, digest: str | None) -> Path | None:
        """Where the archive lies that `find` would open; raises as it does.

        What Helm has rendered before needs no archive but its digest.
        """
        if self.vendored is not None:
            archive = self.at_hand(version, digest)
            return archive.path if archive else None
        if digest and self._holds(version, digest):
            return self._located[version, digest]
        archive = self.find(version, digest)
        return archive.path if archive else None

    def confirms(self, version: str, digest: str | None) -> bool:
        """Whether the archive at hand is known to be that one, so that none need be opened."""
        return self.vendored is None and bool(digest) and self._holds(version, digest or "")

    def at_hand(self, version: str, digest: str | None) -> ChartArchive | None:
        """What a definition means by this version, without a network; raises as `find` does.

        Of a vendored chart that is the one in the repository: Argo CD renders no other.
        """
        if self.vendored is not None:
            archive = self.vendored()
            if archive is not None:
                archive.expect(version, digest or "")
            return archive
        found = self._kept(version, digest or "")
        if found is None:
            self._refuse_another(version, digest or "")
        return found

    def meant(self, version: str, digest: str | None) -> ChartArchive | None:
        """As `at_hand`, but a chart that is not vendored may be fetched."""
        find = self.find if self.vendored is None else self.at_hand
        return find(version, digest)

    def missing(self, version: str) -> str:
        """Why a chart is not at hand, in words."""
        if self.vendored is not None:
            return f"this repository does not contain chart {_NAME} {version}"
        why = self.fetch(version) if self.fetch is not None else ""
        return f"chart {_NAME} {version} is not in the cache" + (f" ({why})" if why else "")

    def _holds(self, version: str, digest: str) -> bool:
        if (version, digest) not in self._located:
            path = self.cache.locate(_NAME, version, digest)
            if path is None:
                return False
            self._located[version, digest] = path
        return True

    def _kept(self, version: str, digest: str) -> ChartArchive | None:
        """What was found once is kept: to unpack and to hash it anew takes as long as a diff."""
        wanted = (version, digest)
        if wanted not in self._found:
            archive = self._own(version, digest) or self.cache.find(_NAME, version, digest=digest)
            if archive is None:
                return None
            self._found[wanted] = archive
        return self._found[wanted]

    def _own(self, version: str, digest: str) -> ChartArchive | None:
        archive = self.vendored() if self.vendored is not None else None
        same = archive is not None and archive.version == version
        return archive if archive and same and digest in ("", archive.digest) else None

    def _refuse_another(self, version: str, digest: str) -> None:
        """Raise ChartError where only another archive of the version is at hand."""
        other = self._kept(version, "") if digest else None
        if other is not None:
            other.expect(version, digest)
