"""The charts on this machine: one folder, shared by every repository and process.

Layout: `<name>-<version>-<sha256 of the archive>.tgz`. An archive that somebody laid there by hand
as `<name>-<version>.tgz` counts as well.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.chart.chart import (
    HINT_OBTAIN,
    ChartArchive,
    ChartError,
    ChartFault,
    open_chart,
    read_chart,
)
from generator.core.errors import UserError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,80}")
_ENTRY = re.compile(r"(?P<stem>.+)-(?P<digest>[0-9a-f]{64})\.tgz")


def cache_root(environ: Mapping[str, str]) -> Path:
    """Where charts are kept: GEN_ENV_CHART_CACHE, else below XDG_CACHE_HOME or ~/.cache."""
    given = environ.get("GEN_ENV_CHART_CACHE")
    if given:
        return Path(given).expanduser()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gen-env" / "charts"


class ChartCache:
    """Archives by name, version and digest; content is checked against its digest on reading.

    `shown` is what problems call it, where the folder itself says nothing to a reader.
    """

    def __init__(self, root: Path, shown: str = "") -> None:
        self.root = root
        self.shown = shown or str(root)

    @classmethod
    def from_environment(cls) -> ChartCache:
        """The cache that this process's environment names."""
        return cls(cache_root(os.environ))

    def add(self, file: Path, *, official: bool = True) -> ChartArchive:
        """Take a copy of an archive; adding it again changes nothing. Raises ChartError."""
        chart = open_chart(file, official=official)
        return self._keep(chart, file.read_bytes())

    def add_bytes(self, data: bytes, origin: str, *, official: bool = True) -> ChartArchive:
        """As `add`, for an archive that was fetched; `origin` names it in messages."""
        return self._keep(read_chart(data, Path(origin), official=official), data)

    def find(self, name: str, version: str, *, digest: str = "") -> ChartArchive | None:
        """The archive of that version (and digest, when given), or None.

        Raises ChartError for an entry that is corrupt, and when the cache holds several archives
        of one version and no digest says which is meant.
        """
        archives: dict[str, ChartArchive] = {}
        for path in self._candidates(name, version):
            if digest and _named_digest(path) not in ("", digest):
                continue
            chart = _read_entry(path)
            archives.setdefault(chart.digest, chart)
        wanted = [c for c in archives.values() if digest in ("", c.digest)]
        if len(wanted) > 1:
            raise ChartError(
                ChartFault.DIGEST,
                f"the cache holds {len(wanted)} different archives of {name} {version}: "
                + ", ".join(sorted(archives)),
                path=self.shown,
                hint="lock the intended digest, or remove the other file",
            )
        return wanted[0] if wanted else None

    def locate(self, name: str, version: str, digest: str) -> Path | None:
        """The archive whose name and bytes have that digest; None where `find` must look closer.

        What `add` has checked once is not unpacked again: that takes fifty times as long.
        """
        path = self.root / f"{_stem(name, version)}-{digest.removeprefix('sha256:')}.tgz"
        if not _named_digest(path):
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return path if f"sha256:{hashlib.sha256(content).hexdigest()}" == digest else None

    def need(self, name: str, version: str, *, digest: str = "") -> ChartArchive:
        """As `find`, but a chart that is not there (or differs from the lock) is a ChartError."""
        chart = self.find(name, version, digest=digest)
        if chart is not None:
            return chart
        if digest and (other := self.find(name, version)):
            other.expect(version, digest)
        message = f"chart {name} {version} is not in the cache"
        raise ChartError(ChartFault.MISSING, message, path=str(self.root), hint=HINT_OBTAIN)

    def list(self) -> tuple[ChartArchive, ...]:
        """Every archive in the cache, by name, version and digest. Raises ChartError."""
        charts = {(c.name, c.version, c.digest): c for c in map(_read_entry, self._entries())}
        return tuple(charts[key] for key in sorted(charts))

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of a chart that the names of the archives promise; none is opened."""
        stems = {_named_stem(path) for path in self._entries()}
        return tuple(sorted(s.removeprefix(f"{name}-") for s in stems if s.startswith(f"{name}-")))

    def _keep(self, chart: ChartArchive, data: bytes) -> ChartArchive:
        digest = chart.digest.removeprefix("sha256:")
        target = self.root / f"{_stem(chart.name, chart.version)}-{digest}.tgz"
        if not (target.is_file() and target.read_bytes() == data):
            _write(target, data)
        return read_chart(data, target, official=False)

    def _candidates(self, name: str, version: str) -> tuple[Path, ...]:
        stem = _stem(name, version)
        return tuple(path for path in self._entries() if _named_stem(path) == stem)

    def _entries(self) -> tuple[Path, ...]:
        if not self.root.is_dir():
            return ()
        return tuple(sorted(p for p in self.root.glob("*.tgz") if not p.name.startswith(".")))


def _stem(name: str, version: str) -> str:
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(version.replace("+", "_")):
        raise ChartError(
            ChartFault.NOT_CHART, "the chart's name or version cannot be used in a file name"
        )
    return f"{name}-{version}"


def _named_stem(path: Path) -> str:
    match = _ENTRY.fullmatch(path.name)
    return match["stem"] if match else path.stem


def _named_digest(path: Path) -> str:
    match = _ENTRY.fullmatch(path.name)
    return f"sha256:{match['digest']}" if match else ""


def _read_entry(path: Path) -> ChartArchive:
    hint = f"remove {path}, then add the chart again (`gen-env chart pull` or `chart add`)"
    try:
        chart = open_chart(path, official=False)
    except ChartError as error:
        message = f"the cached chart is corrupt: {error.message}"
        raise ChartError(error.fault, message, path=str(path), hint=hint) from error
    if _named_stem(path) != _stem(chart.name, chart.version):
        message = f"the file name does not match its content ({chart.name} {chart.version})"
        raise ChartError(ChartFault.NOT_CHART, message, path=str(path), hint=hint)
    if _named_digest(path) not in ("", chart.digest):
        message = f"the cached chart is corrupt: its content has digest {chart.digest}"
        raise ChartError(ChartFault.DIGEST, message, path=str(path), hint=hint)
    return chart


def _write(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(data)
                file.flush()
                # A chart is public, and the folder may be shared between users.
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(
            f"cannot write to the chart cache: {error.strerror}",
            path=str(target.parent),
            hint="set GEN_ENV_CHART_CACHE to a folder that you may write to",
        ) from error
