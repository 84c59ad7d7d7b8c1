"""HTTP to one forge's API: bounded, retried, and never to another host than the configured one."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from generator.core.errors import UserError
from generator.forge import retry
from generator.forge.errors import RateLimited, Rejected, Unavailable, message_of, refusal
from generator.redaction.secret import Secret
from generator.redaction.text import redact_prose

if TYPE_CHECKING:
    import requests

_TIMEOUT = (5.0, 30.0)
_MAX_BYTES = 32 * 1024 * 1024
# A longer wait is the caller's to plan; a person or a worker should not sit and hold a lock.
_LONGEST_WAIT = 90.0
_SAFE = frozenset({"GET", "PUT", "PATCH", "DELETE"})

Params = Mapping[str, str | int]


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One request that was sent, for those who count: status 0 means that no answer came.

    `path` is without the query; header names are in lower case.
    """

    method: str
    path: str
    status: int
    began: float
    seconds: float
    headers: Mapping[str, str]


Watch = Callable[[Call], None]
Authorize = Callable[[], tuple[Mapping[str, str], Secret]]
"""Gives the headers for the next request, and the token in them (to keep it out of messages)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A success: status, headers with lower-case names, and the parsed body (None if empty)."""

    status: int
    headers: Mapping[str, str]
    data: Any


class Transport:
    """Requests to `base_url` alone. https only, except on loopback; redirects are not followed.

    Safe methods are sent again after failures; a POST only where the forge has surely not taken
    it. `watch` is told of every request when it is over. `sleep`, `clock` and `chance` exist to be
    replaced in tests.
    """

    def __init__(
        self,
        base_url: str,
        authorize: Authorize,
        *,
        ca: Path | None = None,
        attempts: int = 5,
        max_pages: int = 500,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        watch: Watch | None = None,
    ) -> None:
        import requests

        self._base = require_trusted(base_url).rstrip("/")
        self._authorize = authorize
        if ca and not ca.is_file():
            raise UserError("there is no certificate authority's file", path=str(ca))
        self._verify: bool | str = str(ca) if ca else True
        self._attempts = attempts
        self._max_pages = max_pages
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._watch = watch
        self._session = requests.Session()

    def close(self) -> None:
        """Let the kept connections go."""
        self._session.close()

    def get(self, path: str, params: Params | None = None) -> Any:
        """The parsed body of a GET."""
        return self.send("GET", path, params=params).data

    def pages(
        self, path: str, params: Params | None = None, *, size: str = "per_page"
    ) -> Iterator[Any]:
        """Every item of a list over all its pages; `size` is the forge's name for the page size.

        Of a `next` link only the query is used, on our own base URL: a link may name a host behind
        a proxy, or one that must not get the token. Ends when a page repeats the one before, as
        it does where a forge ignores the page's number.
        """
        query: dict[str, str | int] = {size: 100 if size == "per_page" else 50, **(params or {})}
        before: object = None
        for _ in range(self._max_pages):
            answer = self.send("GET", path, params=query)
            if not isinstance(answer.data, list) or answer.data == before:
                return
            yield from answer.data
            following = _next_query(answer.headers.get("link", ""))
            if not following or not answer.data:
                return
            query, before = {**query, **following}, answer.data
        raise Rejected(f"the list has more than {self._max_pages} pages", path=path)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        repeatable: bool = False,
    ) -> Answer:
        """One request, sent again as long as that helps; raises a ForgeError otherwise.

        `repeatable` says of a POST that doing it twice leaves the same as once.
        """
        waited = 0.0
        for attempt in range(self._attempts):
            last = attempt + 1 == self._attempts
            outcome = self._once(method, path, params, body)
            if isinstance(outcome, Answer):
                return outcome
            pause = self._pause(outcome, attempt, safe=repeatable or method in _SAFE)
            if pause is None or last or waited + pause > _LONGEST_WAIT:
                raise outcome
            waited += pause
            self._sleep(pause)
        raise AssertionError("attempts is at least 1")

    def _pause(self, error: UserError, attempt: int, *, safe: bool) -> float | None:
        """How long to wait before the next attempt; None where there is to be none."""
        jitter = retry.backoff(attempt, self._chance())
        if isinstance(error, RateLimited):
            return error.retry_after + jitter
        if isinstance(error, Unavailable) and (safe or not error.written):
            return jitter
        return None

    def _once(self, method: str, path: str, params: Params | None, body: Any) -> Answer | UserError:
        """An answer, or the error that it is; nothing is raised that holds the token."""
        import requests

        headers, token = self._authorize()
        began, started = time.time(), time.perf_counter()
        status, answered = 0, dict[str, str]()
        try:
            with self._session.request(
                method,
                self._base + path,
                params=params,
                json=body,
                headers={"Accept": "application/json", "User-Agent": "gen-env"},
                auth=_Header(headers),
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=True,
                verify=self._verify,
            ) as response:
                status = response.status_code
                answered = {name.lower(): value for name, value in response.headers.items()}
                return self._judge(status, answered, _bounded(response), method, path, token)
        except requests.RequestException as error:
            return self._unreachable(error, method, path)
        finally:
            if self._watch:
                took = time.perf_counter() - started
                self._watch(Call(method, path, status, began, took, answered))

    def _judge(
        self,
        status: int,
        headers: Mapping[str, str],
        text: str,
        method: str,
        path: str,
        token: Secret,
    ) -> Answer | UserError:
        if 200 <= status < 300:
            return Answer(status, headers, _parsed(text, path))
        data = _loose(redact_prose(text, [token]))
        said = message_of(data)
        if retry.is_limited(status, headers, said):
            wait = retry.asked_wait(headers, self._clock())
            message = f"the forge's rate limit is used up{': ' + said if said else ''}"
            after = retry.LONGEST_WAIT if wait is None else wait
            return RateLimited(message, status=status, path=path, retry_after=after)
        # 503 comes from what stands before the forge; the other failures may follow a write.
        written = method == "POST" and retry.is_transient(status) and status != 503
        return refusal(status, headers, data, path=path, written=written)

    def _unreachable(self, error: Exception, method: str, path: str) -> UserError:
        import requests

        kind = type(error).__name__
        if isinstance(error, requests.exceptions.SSLError):
            hint = "give the certificate authority's file in the forge's settings"
            return Rejected(
                f"the forge's certificate is not trusted ({kind})", path=path, hint=hint
            )
        never_sent = isinstance(error, requests.exceptions.ConnectTimeout) or _refused(error)
        host = urlsplit(self._base).hostname
        return Unavailable(
            f"cannot reach the forge at {host} ({kind})",
            path=path,
            hint="check the network, the proxy and the forge's URL",
            written=method == "POST" and not never_sent,
        )


class _Header:
    """Credentials as an `auth` hook: with a plain header requests would prefer ~/.netrc."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def require_trusted(url: str) -> str:
    """The URL, if a token may go there: https, or http on loopback, no credentials in it."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise UserError(
            "the forge's URL holds credentials", hint="take them out; a token comes separately"
        )
    if not parts.hostname or parts.query or parts.fragment:
        raise UserError("not a base URL of a forge", path=url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return url
    raise UserError("a token is sent over https alone", path=url, hint="use an https URL")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(response: requests.Response) -> str:
    kept = bytearray()
    for chunk in response.iter_content(65_536):
        kept += chunk
        if len(kept) > _MAX_BYTES:
            raise Rejected("the forge's answer is too large")
    return kept.decode("utf-8", "replace")


def _parsed(text: str, path: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    raise Rejected(
        "the forge's answer is not JSON",
        path=path,
        hint="is the base URL the API's, and does a log-in page or a proxy stand before it?",
    )


def _loose(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _next_query(link: str) -> dict[str, str]:
    """The query of the `rel="next"` part of a Link header (RFC 8288)."""
    import requests

    for part in requests.utils.parse_header_links(link) if link else []:
        if part.get("rel") == "next":
            return dict(parse_qsl(urlsplit(part.get("url", "")).query))
    return {}


def _refused(error: Exception) -> bool:
    """Whether no connection came about at all, so that nothing can have been written."""
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
