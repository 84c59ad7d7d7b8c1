"""Where charts come from, and how to get one from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never
from urllib.parse import urljoin

from generator.chart.archive import MAX_PACKED, pack
from generator.chart.chart import ChartError, ChartFault, read_chart
from generator.chart.helmignore import kept
from generator.chart.http import Client, Credentials
from generator.chart.oci import pull_oci, tags
from generator.chart.select import check_digest, choose, newest_first, no_version
from generator.core.errors import UserError
from generator.core.http_policy import FetchError, shown

_MAX_INDEX = 32 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class RepositorySource:
    """A Helm repository over HTTP: the folder of its index.yaml."""

    url: str
    name: str = "airflow"
    credentials: Credentials | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class OciSource:
    """A chart in an OCI registry: `oci://registry/path/airflow`; versions are tags."""

    url: str
    credentials: Credentials | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class VendoredSource:
    """A chart in the repository: an archive, or the files of an unpacked chart."""

    path: Path


Source = RepositorySource | OciSource | VendoredSource


def pull(source: Source, version: str, client: Client | None = None) -> bytes:
    """The archive of a version (exact, or a range such as `~1.22`) from its source.

    The content is checked against the digest that the source states. Raises FetchError and
    ChartError, whose messages name the source and hold no credentials.
    """
    client = client or Client()
    match source:
        case RepositorySource():
            return _from_repository(source, version, client)
        case OciSource():
            return pull_oci(source.url, version, client, source.credentials)
        case VendoredSource():
            return _from_folder(source.path, version)
        case _:
            assert_never(source)


def versions(source: Source, client: Client | None = None) -> tuple[str, ...]:
    """The versions that a source offers, newest first."""
    client = client or Client()
    match source:
        case RepositorySource():
            found = [str(entry.get("version", "")) for entry in _entries(source, client)]
        case OciSource():
            found = tags(source.url, client, source.credentials)
        case VendoredSource():
            data = _from_folder(source.path, "")
            found = [read_chart(data, source.path, official=False).version]
        case _:
            assert_never(source)
    return newest_first(found)


def _from_repository(source: RepositorySource, version: str, client: Client) -> bytes:
    entries = _entries(source, client)
    listed = [str(entry.get("version", "")) for entry in entries]
    place = f"{shown(source.url)}, chart {source.name}"
    chosen = choose(listed, version)
    if chosen is None:
        raise no_version(place, version, listed)
    entry = entries[listed.index(chosen)]
    urls = [url for url in entry.get("urls") or [] if isinstance(url, str)]
    if not urls:
        raise FetchError(f"{place}: the index gives no URL for version {chosen}")
    url = urljoin(f"{source.url.rstrip('/')}/", urls[0])
    own = url.startswith(f"{source.url.rstrip('/')}/")
    credentials = source.credentials if own else None
    data = client.get(url, max_bytes=MAX_PACKED, credentials=credentials).body
    if stated := str(entry.get("digest") or ""):
        check_digest(data, stated, shown(url))
    return data


def _entries(source: RepositorySource, client: Client) -> list[Mapping[str, Any]]:
    from generator.yaml.manifests import load_manifests

    url = f"{source.url.rstrip('/')}/index.yaml"
    body = client.get(url, max_bytes=_MAX_INDEX, credentials=source.credentials).body
    try:
        entries = next(iter(load_manifests(body)), {}).get("entries")
    except UserError:
        entries = None
    if not isinstance(entries, Mapping):
        raise FetchError(
            f"{shown(url)} is not the index of a Helm repository",
            hint="the URL must be the folder that holds index.yaml",
        )
    charts = entries.get(source.name)
    return [entry for entry in charts or [] if isinstance(entry, Mapping)]


def _from_folder(path: Path, version: str) -> bytes:
    """The archive itself, or the unpacked chart packed the same way every time."""
    if path.is_symlink() or not path.exists():
        message = "no chart found here" if not path.exists() else "the chart is a symbolic link"
        raise ChartError(ChartFault.MISSING, message, path=str(path))
    data = path.read_bytes() if path.is_file() else pack_chart(_files(path), path)
    chart = read_chart(data, path, official=False)
    if version and choose([chart.version], version) is None:
        message = f"the vendored chart has version {chart.version}, not {version}"
        raise ChartError(ChartFault.DIGEST, message, path=str(path))
    return data


def pack_chart(files: Mapping[str, bytes], path: Path) -> bytes:
    """An unpacked chart (path below its folder → content) as an archive, always the same bytes."""
    return pack("chart", kept(files)) if "Chart.yaml" in files else _no_chart(path)


def _no_chart(path: Path) -> bytes:
    message = "not an unpacked Helm chart: it has no Chart.yaml"
    raise ChartError(ChartFault.NOT_CHART, message, path=str(path))


def _files(folder: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            message = "a symbolic link inside a vendored chart"
            raise ChartError(ChartFault.UNSAFE, message, path=str(path))
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files
