"""Where an HTTP request may go and how much of an answer is taken, as one value."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from generator.core.errors import UserError


class Trouble(enum.StrEnum):
    """Why there is no answer. UNREACHABLE: the request was surely not sent; BROKEN: it may be.

    LIMIT: the answer is too large; SLOW: it takes too long.
    """

    FORBIDDEN = "forbidden"
    CERTIFICATE = "certificate"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    LIMIT = "limit"
    SLOW = "slow"
    ANSWER = "answer"


class FetchError(UserError):
    """A server did not give what was requested; `status` is its answer, 0 where there was none.

    The message names the URL without user, password, query and fragment, and quotes no header.
    """

    def __init__(
        self, message: str, *, status: int = 0, hint: str = "", trouble: Trouble = Trouble.ANSWER
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.trouble = trouble


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """What a client may do and how long it waits.

    Only https and http URLs without credentials pass. `allowed_hosts` (`host` or `host:port`)
    bounds every request and redirect, None allows all. Plain http is for loopback and for
    `plain_hosts`, None stands for all. `max_bytes` is the size of an answer after decompression.
    `total_seconds` is for one answer, head and body; `read_seconds` is how long a server may be
    silent. `ca_file` holds the certificates to trust instead of the system's.
    """

    max_bytes: int
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 120.0
    redirects: int = 0
    allowed_hosts: frozenset[str] | None = None
    plain_hosts: frozenset[str] | None = frozenset()
    ca_file: Path | None = None

    def require(self, url: str) -> None:
        """Raise FetchError for a URL that no request may go to, UserError for a missing CA file."""
        parts = split(url)
        if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
            raise forbidden(url, "the URL must be https")
        if parts.username or parts.password:
            hint = "give user name and password beside the URL"
            raise forbidden(url, "a URL must not hold credentials", hint)
        if self.allowed_hosts is not None and not _listed(parts, self.allowed_hosts):
            reason = f"the host {parts.hostname} is not on the list of allowed hosts"
            raise forbidden(url, reason, "add the host to the list if it is the right one")
        if parts.scheme == "http" and not self.speaks_plain(parts.netloc):
            reason = "the URL must be https: plain http is for this machine's loopback"
            raise forbidden(url, reason, "use https, also for redirects")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise UserError("certificate authority file not found", path=str(self.ca_file))

    def speaks_plain(self, netloc: str) -> bool:
        """Whether plain http is allowed for this host (`host` or `host:port`)."""
        parts = split(f"http://{netloc}")
        if self.plain_hosts is None or parts is None:
            return parts is not None
        return is_loopback(parts.hostname or "") or _listed(parts, self.plain_hosts)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """A URL for people: without user, password, query or fragment."""
    parts = split(url)
    if parts is None:
        return "the URL"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None for a text that is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for what is not a port
    except ValueError:
        return None
    return parts


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what credentials belong to."""
    parts = split(url)
    return (parts.scheme, parts.hostname or "", parts.port) if parts else ("", "", None)


def forbidden(url: str, reason: str, hint: str = "") -> FetchError:
    """The error for a URL that the policy does not let pass."""
    return FetchError(f"{shown(url)}: {reason}", hint=hint, trouble=Trouble.FORBIDDEN)


def _listed(parts: SplitResult, hosts: frozenset[str]) -> bool:
    host = parts.hostname or ""
    return host in hosts or (parts.port is not None and f"{host}:{parts.port}" in hosts)
