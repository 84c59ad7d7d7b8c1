"""What a forge refuses, in words that say what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.errors import UserError

_MESSAGE_LENGTH = 300


class ForgeError(UserError):
    """The forge refused, or could not be reached; `status` is its answer's, None without one."""

    def __init__(
        self, message: str, *, status: int | None = None, path: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.status = status


class Unauthorized(ForgeError):
    """The token is wrong, expired or revoked (401)."""


class Forbidden(ForgeError):
    """The token may not do this (403)."""


class NotFound(ForgeError):
    """There is no such thing, or the token may not know of it (404)."""


class Rejected(ForgeError):
    """The forge understood and said no (400, 409, 422 and their like)."""


class Unavailable(ForgeError):
    """The forge is down, overloaded or out of reach; trying later may help.

    `written` is True where a write may have happened all the same: look before writing again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        path: str = "",
        hint: str = "",
        written: bool = False,
    ) -> None:
        super().__init__(message, status=status, path=path, hint=hint)
        self.written = written


class RateLimited(ForgeError):
    """Too many requests; `retry_after` is how many seconds the forge asks to wait."""

    def __init__(self, message: str, *, status: int, path: str, retry_after: float) -> None:
        hint = f"wait {retry_after:.0f} s, or use a token with a higher limit (a GitHub App, say)"
        super().__init__(message, status=status, path=path, hint=hint)
        self.retry_after = retry_after


def refusal(
    status: int, headers: Mapping[str, str], data: Any, *, path: str, written: bool = False
) -> ForgeError:
    """The error for one answer that isn't a success; `data` is its body, parsed or as text.

    The caller has taken secrets out of `data`. Headers are read, never quoted whole.
    """
    message = message_of(data)
    tail = f": {message}" if message else ""
    match status:
        case 401:
            text, hint = f"the forge does not accept the token{tail}", _token_hint(message)
            return Unauthorized(text, status=status, path=path, hint=hint)
        case 403:
            text, hint = f"the token may not do this{tail}", _permission_hint(headers, message)
            return Forbidden(text, status=status, path=path, hint=hint)
        case 404 | 410:
            return NotFound(
                f"not found on the forge{tail}", status=status, path=path, hint=_NOT_FOUND
            )
        case 302 | 303 | 307:
            return Unavailable(
                "the forge answered with a redirect, which is not followed with a token",
                status=status,
                path=path,
                hint=_MOVED,
                written=written,
            )
        case 301 | 308:
            return Rejected(
                "the forge answered with a redirect, which is not followed with a token",
                status=status,
                path=path,
                hint=_MOVED,
            )
        case _ if status >= 500:
            return Unavailable(
                f"the forge failed with {status}{tail}",
                status=status,
                path=path,
                hint="try again later; see the forge's status page",
                written=written,
            )
        case _:
            hint = "the forge rejected the request; fix what the message names"
            return Rejected(
                f"the forge refused ({status}){tail}", status=status, path=path, hint=hint
            )


def message_of(data: Any) -> str:
    """The forge's own words from an answer's body, whichever of its fields they stand in."""
    if isinstance(data, Mapping):
        words = [
            _flat(data.get(name)) for name in ("message", "error", "error_description", "errors")
        ]
        return "; ".join(word for word in words if word)[:_MESSAGE_LENGTH]
    if isinstance(data, str) and "<" not in data:
        return " ".join(data.split())[:_MESSAGE_LENGTH]
    return ""


def _flat(value: Any) -> str:
    """GitHub lists objects, GitLab maps fields to lists; both become one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value)
    return " ".join(str(value).split()) if isinstance(value, str | int) else ""


def _token_hint(message: str) -> str:
    if "expired" in message.lower():
        return "it has expired: make a new one and set it again"
    return "check that it is this forge's, not expired and not revoked; then set it again"


def _permission_hint(headers: Mapping[str, str], message: str) -> str:
    if headers.get("x-github-sso"):
        return "authorise the token for the organisation's single sign-on"
    needed = headers.get("x-accepted-github-permissions")
    if needed:
        return f"grant it: {needed}"
    if "scope" in message.lower():
        return (
            "the token's scopes are too few: GitLab needs api, Gitea write on repository and issue"
        )
    return "grant pull requests, statuses (checks, deployments) and contents, for this repository"


_NOT_FOUND = (
    "check number and repository; a private repository is hidden from a token without access"
)
_MOVED = (
    "the repository was renamed or moved, or the base URL is not the API's: "
    "correct repository.url or the forge's URL in gen-env.yaml"
)
