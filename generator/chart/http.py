"""HTTP as far as fetching charts needs it: patient with servers, credentials for one host."""

from __future__ import annotations

import base64
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import IO

from generator.core import http
from generator.core.http import Response
from generator.core.http_policy import FetchError, Policy, Trouble, shown

POLICY = Policy(max_bytes=64 << 20, redirects=5)
_RETRIED = frozenset({429, 500, 502, 503, 504})
_PASSING = (Trouble.UNREACHABLE, Trouble.BROKEN)
_LONGEST_WAIT = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password (or token) for one host."""

    username: str
    password: str = dataclasses.field(repr=False)

    @property
    def header(self) -> str:
        """The value of a Basic `Authorization` header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclasses.dataclass(frozen=True)
class Client:
    """How to fetch. `attempts` counts the first try."""

    policy: Policy = POLICY
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
        into: IO[bytes] | None = None,
    ) -> Response:
        """Fetch `url`, following redirects; headers and credentials go to its own host alone.

        The body goes into the file `into` where one is given.

        Raises FetchError for what the policy forbids, an answer whose status is not in `accept`,
        and a server that cannot be reached or stays overloaded.
        """
        sent = dict(headers or {})
        if credentials is not None:
            sent["Authorization"] = credentials.header
        with http.Client(self.policy) as client:
            return _accepted(self._try(client, url, sent, max_bytes, into), accept)

    def _try(
        self,
        client: http.Client,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        into: IO[bytes] | None,
    ) -> Response:
        """The answer, requested again while the server is overloaded or cannot be reached."""
        for attempt in range(1, self.attempts):
            retry_after = ""
            try:
                response = client.request(
                    "GET", url, headers=headers, max_bytes=max_bytes, into=into
                )
                if response.status not in _RETRIED:
                    return response
                retry_after = response.headers.get("retry-after", "")
            except FetchError as error:
                if error.trouble not in _PASSING:
                    raise
            self.sleep(_wait(attempt, retry_after))
        return client.request("GET", url, headers=headers, max_bytes=max_bytes, into=into)


def _accepted(response: Response, accept: frozenset[int]) -> Response:
    if response.status in accept:
        return response
    hints = {
        401: "the server rejected the credentials",
        403: "these credentials have no read access",
        404: "check the URL, the chart's name and its version",
        429: "the server limits requests: try again later",
    }
    raise FetchError(
        f"{shown(response.url)}: the server answered {response.status}",
        status=response.status,
        hint=hints.get(response.status, "try again later" if response.status >= 500 else ""),
    )


def _wait(attempt: int, retry_after: str) -> float:
    """Seconds before the next try: what the server asks for, else half a second, one, two …"""
    seconds = float(retry_after) if retry_after.isdecimal() else 0.5 * 2 ** (attempt - 1)
    return min(seconds, _LONGEST_WAIT)
