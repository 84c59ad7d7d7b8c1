"""Whether a delivery comes from who holds the secret: over the raw bytes, in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence

from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_TOLERANCE_SECONDS = 300
_WHSEC = b"whsec_"

Headers = Mapping[str, str]
"""With lower-case names."""


def verify(
    kind: ForgeKind, headers: Headers, body: bytes, secrets: Sequence[Secret], *, now: float
) -> bool:
    """True when one of the secrets made the delivery's signature; False with no secret at all.

    `now` (seconds) is for GitLab's signed time stamp alone: the other forges sign no time.
    """
    match kind:
        case ForgeKind.GITHUB:
            algorithm, _, given = headers.get("x-hub-signature-256", "").partition("=")
            return algorithm == "sha256" and _any(secrets, given, lambda key: _hex(key, body))
        case ForgeKind.GITEA:
            # Forgejo sends both; without a secret the header is there and empty.
            given = headers.get("x-forgejo-signature") or headers.get("x-gitea-signature") or ""
            return bool(given) and _any(secrets, given, lambda key: _hex(key, body))
        case ForgeKind.GITLAB if "webhook-signature" in headers:
            return _standard(headers, body, secrets, now)
        case ForgeKind.GITLAB:
            given = headers.get("x-gitlab-token", "")
            # The digests are compared, so that not even a secret's length shows in the time.
            digest = _digest(_bytes(given)).decode()
            return bool(given) and _any(secrets, digest, _digest)


def _standard(headers: Headers, body: bytes, secrets: Sequence[Secret], now: float) -> bool:
    identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        return False
    if abs(now - int(stamp)) > _TOLERANCE_SECONDS:
        return False
    message = _bytes(f"{identity}.{stamp}.") + body
    given = [part[3:] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    # Counted, so that every pair is compared, whichever matches.
    return sum(_any(secrets, item, lambda key: _base64(key, message)) for item in given[:8]) > 0


def _any(secrets: Iterable[Secret], given: str, expected: Callable[[bytes], bytes]) -> bool:
    found = False
    for secret in secrets:
        key = secret.reveal()
        # Bytes: compare_digest refuses text that is not ASCII, and a header may hold anything.
        same = hmac.compare_digest(expected(key), _bytes(given))
        found = found or (same and bool(key))
    return found


def _hex(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).hexdigest().encode()


def _base64(key: bytes, message: bytes) -> bytes:
    if key.startswith(_WHSEC):
        try:
            key = base64.b64decode(key.removeprefix(_WHSEC), validate=True)
        except binascii.Error:
            key = b""
    # An empty key is known to everybody: nothing may match it.
    return base64.b64encode(hmac.digest(key, message, "sha256")) if key else b"\0"


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).hexdigest().encode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
