"""HTTP to one forge's API: bounded, retried, and never to another host than the configured one."""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from generator.core import http
from generator.core.errors import UserError
from generator.core.http_policy import FetchError, Policy, Trouble
from generator.forge import retry
from generator.forge.errors import RateLimited, Rejected, Unavailable, message_of, refusal
from generator.redaction.secret import Secret
from generator.redaction.text import redact_prose

_POLICY = Policy(max_bytes=32 * 1024 * 1024, connect_seconds=5.0)
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
    """Requests to `base_url` alone. https only, except on loopback and for the hosts `plain`.

    Redirects are not followed.
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
        plain: frozenset[str] = frozenset(),
    ) -> None:
        policy = dataclasses.replace(_POLICY, ca_file=ca, plain_hosts=plain)
        self._base = _base_url(base_url, policy)
        self._client = http.Client(policy)
        self._authorize = authorize
        self._attempts = attempts
        self._max_pages = max_pages
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._watch = watch

    def close(self) -> None:
        """Let the kept connections go."""
        self._client.close()

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
        headers, token = self._authorize()
        began, started = time.time(), time.perf_counter()
        status = 0
        answered: Mapping[str, str] = {}
        try:
            response = self._client.request(
                method,
                self._base + path,
                params=params,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip", **headers},
                body=body,
            )
            status, answered = response.status, response.headers
            text = response.body.decode("utf-8", "replace")
            return self._judge(status, answered, text, method, path, token)
        except FetchError as error:
            status = error.status
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
            return Answer(status, headers, _parsed(text, path, written=method == "POST"))
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

    def _unreachable(self, error: FetchError, method: str, path: str) -> UserError:
        if error.trouble in (Trouble.UNREACHABLE, Trouble.BROKEN, Trouble.SLOW):
            return Unavailable(
                f"cannot reach the forge: {error.message}",
                path=path,
                hint=error.hint,
                written=method == "POST" and error.trouble is not Trouble.UNREACHABLE,
            )
        return Rejected(error.message, path=path, hint=error.hint)


def _base_url(url: str, policy: Policy) -> str:
    """The URL, if a token may go there and it has room for a path."""
    policy.require(url)
    if urlsplit(url)[3:] != ("", ""):
        raise UserError("the base URL of a forge's API has neither query nor fragment", path=url)
    return url.rstrip("/")


def _parsed(text: str, path: str, *, written: bool) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Often the page of a proxy while the forge restarts: not asked again here, and not final.
    raise Unavailable(
        "the forge's answer is not JSON",
        path=path,
        hint="check that the base URL is the API's and that no login page or proxy is in front "
        "of it",
        written=written,
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
