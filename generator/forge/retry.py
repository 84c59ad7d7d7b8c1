"""When to send a request again, and how long to wait before: pure rules."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
_LIMITED = ("secondary rate limit", "rate limit exceeded", "abuse detection")
_TRANSIENT = frozenset({500, 502, 503, 504})


def is_limited(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Whether an answer means too many requests; GitHub says so with 403 as well as 429."""
    if status == 429:
        return True
    if status != 403:
        return False
    spent = headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in headers or any(words in message.lower() for words in _LIMITED)


def is_transient(status: int) -> bool:
    """Whether the same request may succeed a moment later."""
    return status in _TRANSIENT


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds the forge asks us to wait: Retry-After, or the time its limit is reset.

    Header names are lower case. GitLab leaves out the `x-`; both give seconds since the epoch.
    """
    after = headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after)
    if after:
        parsed = email.utils.parsedate_tz(after)
        return max(0.0, email.utils.mktime_tz(parsed) - now) if parsed else None
    for prefix in ("x-ratelimit", "ratelimit"):
        reset = headers.get(f"{prefix}-reset", "")
        if headers.get(f"{prefix}-remaining") == "0" and reset.isdecimal():
            return max(0.0, float(reset) - now)
    return None


def backoff(attempt: int, fraction: float) -> float:
    """Full jitter: a random part (`fraction`, 0 to 1) of a wait that doubles with each attempt."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0**attempt) * fraction
