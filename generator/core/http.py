"""Every HTTP request that gen-env sends itself, held to one policy: hosts, sizes, times, redirects.

(The cluster's API is reached through the official client, which brings its own credentials.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from generator.core.http_policy import (
    FetchError,
    Policy,
    Trouble,
    forbidden,
    is_loopback,
    origin,
    shown,
    split,
)

if TYPE_CHECKING:
    import requests

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16
_OK = 200
# A proxy that the environment names cannot reach this machine's own loopback.
_NO_PROXY = {"http": "", "https": "", "all": ""}


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """A server's final answer; header names are in lower case.

    The body of a success is whole; one of a redirect or a failure ends at the policy's bound.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)


class Client:
    """Requests under one policy, over connections that are kept until `close`."""

    def __init__(self, policy: Policy) -> None:
        import requests

        self.policy = policy
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _adapter(policy.total_seconds))
        # Even where it follows none, requests reads the whole body of a redirect, however long.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        max_bytes: int = 0,
        into: IO[bytes] | None = None,
    ) -> Response:
        """Send `body` as JSON and return the answer, whatever its status.

        A GET follows as many redirects as the policy has; `headers` go to the URL's own origin
        alone. `max_bytes` replaces the policy's bound. The body of a success is written to `into`
        where given, over what an earlier try left there. Raises FetchError for everything that is
        no answer; no error or its context holds a header.
        """
        start, hops = origin(url), self.policy.redirects if method == "GET" else 0
        bound = max_bytes or self.policy.max_bytes
        for hop in range(hops + 1):
            self.policy.require(url)
            own = dict(headers or {}) if origin(url) == start else {}
            response = self._send(method, url, params if hop == 0 else None, own, body, bound, into)
            if isinstance(response, FetchError):
                raise response
            if response.status not in REDIRECTS or not hops:
                return response
            url = _target(response)
        raise FetchError(f"{shown(url)}: more than {hops} redirects", trouble=Trouble.FORBIDDEN)

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        body: Any,
        max_bytes: int,
        into: IO[bytes] | None,
    ) -> Response | FetchError:
        """One hop. An error is returned: raised here, its context would keep the request."""
        import requests
        import urllib3

        policy, status = self.policy, 0
        deadline = time.monotonic() + policy.total_seconds
        try:
            with self._session.request(
                method,
                url,
                params=params,
                json=body,
                headers={"User-Agent": "gen-env", "Accept-Encoding": "identity", **headers},
                auth=_no_netrc,
                proxies=_NO_PROXY if is_loopback(urlsplit(url).hostname or "") else None,
                verify=str(policy.ca_file) if policy.ca_file else True,
                timeout=(policy.connect_seconds, policy.read_seconds),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
                sink = into if answer.status_code == _OK else None
                sock = answer.raw.cut_at  # type: ignore[union-attr]
                with _within(deadline - time.monotonic(), sock):
                    content = _body(answer, url, max_bytes, deadline, sink)
                lowered = {name.lower(): value for name, value in answer.headers.items()}
                return Response(url, status, lowered, content)
        except FetchError as error:
            return error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            late = time.monotonic() > deadline
            return _late(url, status) if late else _explained(error, url, status)


@contextlib.contextmanager
def _within(seconds: float, sock: socket.socket) -> Iterator[None]:
    """Cut the connection when the block takes longer: no time-out ends a server that goes on."""

    def cut() -> None:
        with contextlib.suppress(OSError):  # over by itself meanwhile
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _adapter(seconds: float) -> Any:
    """What gives connections that wait so long for the head of an answer, however it trickles.

    Interim answers (1xx) and header lines have no end of their own in http.client.
    """
    import requests.adapters

    @functools.cache
    def bounded(kind: type[Any]) -> type[Any]:
        class Bounded(kind):  # type: ignore[misc]
            def getresponse(self) -> Any:
                sock = self.sock  # given up by the connection where the answer is its last
                with _within(seconds, sock):
                    answer = super().getresponse()
                answer.cut_at = sock
                return answer

        return Bounded

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **named: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **named)
            pool.ConnectionCls = bounded(type(pool).ConnectionCls)
            return pool

    return Adapter()


def get(url: str, policy: Policy, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to one GET over a connection of its own; see `Client.request`."""
    with Client(policy) as client:
        return client.request("GET", url, headers=headers)


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """As `auth`: without any, requests would look for a password in ~/.netrc."""
    return request


def _target(response: Response) -> str:
    location = response.headers.get("location", "")
    target = urljoin(response.url, location) if split(location) else ""
    if not target or (response.url.startswith("https:") and not target.startswith("https:")):
        raise forbidden(response.url, "it redirects to an address that is not https")
    return target


def _body(
    answer: requests.Response, url: str, max_bytes: int, deadline: float, sink: IO[bytes] | None
) -> bytes:
    content, size = bytearray(), 0
    if sink is not None:
        sink.seek(0)
        sink.truncate()
    # `read1` returns what has arrived: a slow server cannot stretch one read over the deadline.
    while chunk := answer.raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > max_bytes:
            if not answer.ok or answer.status_code in REDIRECTS:
                return bytes((content + chunk)[:max_bytes])
            raise _limit(answer, url, f"the answer is too large: the limit is {max_bytes} bytes")
        if sink is None:
            content += chunk
        else:
            _keep(sink, chunk, answer, url)
        if time.monotonic() > deadline:
            raise _late(url, answer.status_code)
    if time.monotonic() > deadline:  # cut, which looks like an end
        raise _late(url, answer.status_code)
    return bytes(content)


def _keep(sink: IO[bytes], chunk: bytes, answer: requests.Response, url: str) -> None:
    try:
        sink.write(chunk)
    except OSError as error:
        raise _limit(answer, url, f"the answer cannot be kept: {error.strerror}") from None


def _limit(answer: requests.Response, url: str, reason: str) -> FetchError:
    text = f"{shown(url)}: {reason}"
    return FetchError(text, status=answer.status_code, trouble=Trouble.LIMIT)


def _late(url: str, status: int) -> FetchError:
    text = f"{shown(url)}: the answer takes too long"
    return FetchError(text, status=status, trouble=Trouble.SLOW)


def _explained(error: Exception, url: str, status: int) -> FetchError:
    trouble, reason, hint = _reason(error)
    return FetchError(f"{shown(url)}: {reason}", status=status, hint=hint, trouble=trouble)


def _reason(error: Exception) -> tuple[Trouble, str, str]:
    import requests.exceptions as high
    import urllib3.exceptions as low

    kind, check = type(error).__name__, "check the URL, the network and the proxy settings"
    if isinstance(error, high.SSLError | low.SSLError):
        hint = "name the certificate authority's file in the settings"
        return Trouble.CERTIFICATE, "the server's certificate is not trusted", hint
    if isinstance(error, high.ConnectTimeout):
        return Trouble.UNREACHABLE, f"the server did not answer in time ({kind})", check
    if isinstance(error, high.Timeout | low.TimeoutError):
        return Trouble.BROKEN, f"the server did not answer in time ({kind})", check
    if isinstance(error, low.ProtocolError | high.ChunkedEncodingError):
        return Trouble.BROKEN, f"the server's answer is incomplete ({kind})", check
    if isinstance(error, high.ConnectionError):
        reason = getattr(error.args[0], "reason", None) if error.args else None
        unsent = isinstance(reason, low.NewConnectionError)
        trouble = Trouble.UNREACHABLE if unsent else Trouble.BROKEN
        return trouble, f"cannot connect to the server ({kind})", check
    return Trouble.ANSWER, f"the request failed ({kind})", check
