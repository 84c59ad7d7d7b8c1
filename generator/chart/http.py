"""HTTP as far as fetching charts needs it: bounded, checked at every hop, patient with servers."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from generator.core.errors import UserError

if TYPE_CHECKING:
    import requests

_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS = 5
_LONGEST_WAIT = 10.0
_CHUNK = 1 << 16


class FetchError(UserError):
    """A server did not give what was asked for; `status` is its answer, if there was one."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password (or token) for one host."""

    username: str
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """A server's final answer; header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclasses.dataclass(frozen=True)
class Client:
    """How to fetch.

    `ca_file` is a bundle of certificates to trust instead of the system's. `allowed_hosts`, when
    given, bounds every request and redirect (`host` or `host:port`). Plain HTTP is for loopback and
    `plain_hosts`. `attempts` counts the first try.
    """

    ca_file: Path | None = None
    allowed_hosts: frozenset[str] | None = None
    plain_hosts: frozenset[str] = frozenset()
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 120.0
    attempts: int = 4
    sleep: Callable[[float], None] = time.sleep

    def get(
        self,
        url: str,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        accept: frozenset[int] = frozenset({200}),
    ) -> Response:
        """Fetch `url`, following redirects; headers and credentials go to its own host alone.

        Raises FetchError for a refused address, an answer whose status is not in `accept`, more
        than `max_bytes`, a redirect too many, and a server that cannot be reached.
        """
        import requests

        origin = _origin(url)
        with requests.Session() as session:
            session.verify = str(self.ca_file) if self.ca_file else True
            for _ in range(_MAX_HOPS + 1):
                self._check(url)
                own = _origin(url) == origin
                response = self._try(
                    session,
                    url,
                    headers=dict(headers or {}) if own else {},
                    auth=_Basic(credentials if own else None),
                    max_bytes=max_bytes,
                )
                if response.status not in _REDIRECTS:
                    return _accepted(response, accept)
                url = _next(response)
        raise FetchError(f"{shown(url)}: more than {_MAX_HOPS} redirects")

    def speaks_plain(self, netloc: str) -> bool:
        """Whether plain HTTP is for this host (`host` or `host:port`)."""
        url = f"http://{netloc}"
        return _is_loopback(urlsplit(url).hostname or "") or _listed(url, self.plain_hosts)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host:
            raise FetchError(f"{shown(url)} is not an https URL")
        if parts.username or parts.password:
            raise FetchError(
                f"{shown(url)}: a URL must not hold credentials",
                hint="give user name and password beside the URL",
            )
        if self.allowed_hosts is not None and not _listed(url, self.allowed_hosts):
            raise FetchError(
                f"{shown(url)}: the host {host} is not on the list of allowed hosts",
                hint="add the host to the list if this chart source is right",
            )
        if parts.scheme == "http" and not self.speaks_plain(parts.netloc):
            raise FetchError(
                f"{shown(url)}: plain http is refused", hint="use https, also for redirects"
            )

    def _try(
        self,
        session: requests.Session,
        url: str,
        *,
        headers: dict[str, str],
        auth: _Basic,
        max_bytes: int,
    ) -> Response:
        """One hop, tried again while the server is overloaded or cannot be reached."""
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            with _explained(url, retry=not last):
                response = self._once(session, url, headers, auth, max_bytes)
                if response.status not in _RETRIED or last:
                    return response
                self.sleep(_wait(attempt, response.headers.get("retry-after", "")))
                continue
            self.sleep(_wait(attempt, ""))
        raise FetchError(f"{shown(url)}: no answer")

    def _once(
        self,
        session: requests.Session,
        url: str,
        headers: dict[str, str],
        auth: _Basic,
        max_bytes: int,
    ) -> Response:
        deadline = time.monotonic() + self.total_timeout
        # A proxy that the environment names cannot reach this machine's own loopback.
        session.trust_env = not _is_loopback(urlsplit(url).hostname or "")
        with session.get(
            url,
            headers={"User-Agent": "gen-env", "Accept-Encoding": "identity", **headers},
            auth=auth,
            stream=True,
            allow_redirects=False,
            timeout=(self.connect_timeout, self.read_timeout),
        ) as answer:
            wanted = answer.status_code not in _REDIRECTS | _RETRIED
            body = _body(answer, url, max_bytes, deadline) if wanted else b""
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            return Response(url, answer.status_code, lowered, body)


class _Basic:
    """Sets only what we were given; without it requests would look into ~/.netrc."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials is not None:
            from requests.auth import HTTPBasicAuth

            given = self._credentials
            HTTPBasicAuth(given.username.encode(), given.password.encode())(request)
        return request


def shown(url: str) -> str:
    """A URL for people: without user, password, query or fragment."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


@contextlib.contextmanager
def _explained(url: str, *, retry: bool) -> Iterator[None]:
    """Network trouble in words; with `retry`, what may pass by itself is swallowed."""
    import requests

    try:
        yield
    except requests.exceptions.SSLError:
        raise FetchError(
            f"{shown(url)}: the server's certificate is not trusted",
            hint="name the certificate authority's file in the settings",
        ) from None
    except _passing() as error:
        if not retry:
            reason = _reason(error)
            raise FetchError(
                f"{shown(url)}: the server cannot be used: {reason}",
                hint="check the URL, the network and the proxy settings",
            ) from None
    except requests.exceptions.RequestException as error:
        raise FetchError(f"{shown(url)}: {type(error).__name__}") from None
    except OSError as error:
        # requests reports a CA bundle that does not exist as a bare OSError.
        raise FetchError(f"{shown(url)}: {type(error).__name__}: check the CA file") from None


def _passing() -> tuple[type[Exception], ...]:
    """Trouble that may be over at the next try."""
    import requests

    return (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return "it does not answer in time"
    cut_short = isinstance(error, requests.exceptions.ChunkedEncodingError)
    return "its answer breaks off" if cut_short else "no connection"


def _body(answer: requests.Response, url: str, max_bytes: int, deadline: float) -> bytes:
    chunks, size = [], 0
    for chunk in answer.iter_content(_CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise FetchError(f"{shown(url)}: the answer is larger than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise FetchError(f"{shown(url)}: the answer takes too long")
        chunks.append(chunk)
    return b"".join(chunks)


def _accepted(response: Response, accept: frozenset[int]) -> Response:
    if response.status in accept:
        return response
    hints = {
        401: "the server wants other credentials",
        403: "these credentials may not read it",
        404: "check the URL, the chart's name and its version",
        429: "the server asks to slow down: try again later",
    }
    raise FetchError(
        f"{shown(response.url)}: the server answered {response.status}",
        status=response.status,
        hint=hints.get(response.status, "try again later" if response.status >= 500 else ""),
    )


def _next(response: Response) -> str:
    location = response.headers.get("location", "")
    target = urljoin(response.url, location)
    if not location or (response.url.startswith("https:") and not target.startswith("https:")):
        raise FetchError(f"{shown(response.url)}: it redirects to an address that is not https")
    return target


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (parts.scheme, parts.hostname or "", parts.port)


def _listed(url: str, hosts: frozenset[str]) -> bool:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return host in hosts or (parts.port is not None and f"{host}:{parts.port}" in hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wait(attempt: int, retry_after: str) -> float:
    """Seconds before the next try: what the server asks for, else half a second, one, two …"""
    asked = float(retry_after) if retry_after.isdigit() else 0.5 * 2 ** (attempt - 1)
    return min(asked, _LONGEST_WAIT)
