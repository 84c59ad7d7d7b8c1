"""What can go wrong between us and an API server, and what each answer means for a second try."""

from __future__ import annotations

import enum

from generator.core.errors import UserError


class Trouble(enum.Enum):
    """The kinds of failure that are handled differently."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    GONE = "gone"
    THROTTLED = "throttled"
    REFUSED = "refused"
    SERVER = "server error"


class ClusterError(UserError):
    """One request failed. `retry_after` is how many seconds the server asked us to wait."""

    def __init__(
        self, trouble: Trouble, message: str, *, retry_after: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.trouble = trouble
        self.retry_after = retry_after


_BY_STATUS = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    410: Trouble.GONE,
    429: Trouble.THROTTLED,
}
_HINTS = {
    Trouble.UNAUTHORIZED: "the credentials have expired or belong to another cluster: sign in "
    "again",
    Trouble.FORBIDDEN: "the role that gen-env generates below bootstrap/ grants it",
    Trouble.UNREACHABLE: "check the context's address, the network and the API server",
}


def from_status(
    status: int, message: str, what: str, *, retry_after: float | None = None
) -> ClusterError:
    """The error for an HTTP status, with the server's own words."""
    if status in _BY_STATUS:
        trouble = _BY_STATUS[status]
    else:
        trouble = Trouble.SERVER if status >= 500 or status < 400 else Trouble.REFUSED
    words = f"{what}: {message or f'HTTP {status}'}"
    return ClusterError(trouble, words, retry_after=retry_after, hint=_HINTS.get(trouble, ""))


def unreachable(what: str, reason: str) -> ClusterError:
    """Nobody answered, or the connection broke."""
    return ClusterError(Trouble.UNREACHABLE, f"{what}: {reason}", hint=_HINTS[Trouble.UNREACHABLE])
