"""A GitHub App's two keys: a JWT that proves the App, and the installation's token it buys."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from generator.core.errors import UserError
from generator.forge.credentials import App
from generator.forge.transport import Transport
from generator.redaction.secret import Secret

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
# What requests and events need (docs.github.com, "Permissions required for GitHub Apps", "Webhook
# events and payloads"); a test holds them against the requests that are made and the events read.
PERMISSIONS: Mapping[str, str] = {
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
EVENTS = ("check_run", "check_suite", "issue_comment", "merge_group", "pull_request", "push")
# GitHub refuses a JWT of more than ten minutes; the minute in the past allows for its clock.
_JWT_SECONDS = 9 * 60
_CLOCK_SKEW = 60
_RENEW_BEFORE = 5 * 60


def bearer(token: Secret) -> tuple[Mapping[str, str], Secret]:
    """GitHub's headers for a token, and the token."""
    return {**HEADERS, "Authorization": f"Bearer {token.text()}"}, token


class Installation:
    """The App on one repository: gives tokens that live an hour, and renews them in time.

    `connect` makes a transport from an authorization, so that it shares our host, CA and clock.
    """

    def __init__(
        self,
        app: App,
        repository: str,
        connect: Callable[[Callable[[], tuple[Mapping[str, str], Secret]]], Transport],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._repository = repository
        self._clock = clock
        self._transport = connect(lambda: bearer(self._jwt()))
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._until = 0.0

    def authorize(self) -> tuple[Mapping[str, str], Secret]:
        """The headers for a request on the repository."""
        with self._lock:
            if self._token is None or self._clock() > self._until - _RENEW_BEFORE:
                self._renew()
            assert self._token is not None
            return bearer(self._token)

    def login(self) -> str:
        """The name under which the App comments: `<slug>[bot]`."""
        data: dict[str, Any] = self._transport.get("/app") or {}
        return f"{data.get('slug', '')}[bot]"

    def missing(self) -> list[str]:
        """Permissions and events that the installation lacks, as GitHub calls them; in order."""
        data: dict[str, Any] = self._transport.get(f"/repos/{self._repository}/installation") or {}
        given, events = data.get("permissions") or {}, data.get("events") or ()
        lacking = [
            f"{name}: {level}"
            for name, level in PERMISSIONS.items()
            if given.get(name) not in (level, "write")
        ]
        return [*lacking, *(f"event {name}" for name in EVENTS if name not in events)]

    def _renew(self) -> None:
        installation = self._app.installation_id or self._find()
        path = f"/app/installations/{quote(installation, safe='')}/access_tokens"
        data: dict[str, Any] = self._transport.send("POST", path, repeatable=True).data or {}
        self._token = Secret(str(data.get("token", "")))
        self._until = _moment(str(data.get("expires_at", "")), self._clock())

    def _find(self) -> str:
        data: dict[str, Any] = self._transport.get(f"/repos/{self._repository}/installation") or {}
        return str(data.get("id", ""))

    def _jwt(self) -> Secret:
        import jwt

        now = int(self._clock())
        claims = {"iat": now - _CLOCK_SKEW, "exp": now + _JWT_SECONDS, "iss": self._app.app_id}
        try:
            return Secret(jwt.encode(claims, self._app.private_key.text(), algorithm="RS256"))
        except (jwt.PyJWTError, ValueError, TypeError):
            pass
        # Raised outside the handler: the library's message may quote the key.
        raise UserError(
            "the GitHub App's private key cannot be used",
            hint="give the PEM file that GitHub made for the App, unchanged",
        )


def _moment(text: str, now: float) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return now + 10 * 60  # unknown: well below the hour that GitHub gives
