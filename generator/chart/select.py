"""Which of the versions that a source offers is meant, and whether its content is genuine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from generator.chart.chart import ChartError, ChartFault
from generator.chart.version import Version, parse_range, parse_version
from generator.core.http_policy import FetchError

_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    """The semantic versions among these, newest first; the rest is left out."""
    parsed = {text: version for text in versions if (version := parse_version(text))}
    return tuple(sorted(parsed, key=lambda text: (parsed[text], text), reverse=True))


def choose(versions: Iterable[str], wanted: str) -> str | None:
    """The version that was asked for: spelled out, else the newest one in that range."""
    listed = newest_first(versions)
    exact = parse_version(wanted)
    for text in listed:
        if text == wanted or (exact is not None and _same(parse_version(text), exact)):
            return text
    allowed = parse_range(wanted) if exact is None or wanted.count(".") < 2 else None
    for text in listed:
        version = parse_version(text)
        if allowed is not None and version is not None and version in allowed:
            return text
    return None


def no_version(place: str, version: str, versions: Iterable[str]) -> FetchError:
    """The error for a version that a source does not have; it names the newest ones it has."""
    newest = ", ".join(newest_first(versions)[:5])
    return FetchError(
        f"{place}: version {version} not found",
        status=404,
        hint=f"it has {newest}" if newest else "it has no versions",
    )


def check_digest(data: bytes, stated: str, place: str) -> None:
    """Raise ChartError when `data` is not what the source's own digest says."""
    match = _HEX.fullmatch(stated.strip().lower())
    actual = hashlib.sha256(data).hexdigest()
    if match is None or match[1] != actual:
        raise ChartError(
            ChartFault.DIGEST,
            f"{place}: the content has digest sha256:{actual}, the source states "
            f"{stated.strip()[:80]}",
            hint="the download was damaged or tampered with: try again, then ask its owner",
        )


def _same(one: Version | None, other: Version) -> bool:
    return one == other and one is not None and one.build == other.build
