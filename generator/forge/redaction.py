"""Keep tokens out of every text that people or logs get to see."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

from generator.redaction.secret import MASK, Secret

# Shapes of credentials that are not ours but may stand in a forge's or a proxy's answer.
_SHAPES = re.compile(
    r"gh[a-z]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{16,}"
    r"|gl[a-z]{1,4}-[A-Za-z0-9_.-]{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|(?<=[?&])(?:access_token|private_token|token)=[^&\s]+",
)
_HEADER = re.compile(r"(?i)\b(authorization|private-token|job-token)(\"?\s*[:=]\s*).+")
_SHORTEST = 6


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text without these values (plain, quoted for URLs or in base64) nor any known shape."""
    for form in _forms(secrets):
        text = text.replace(form, MASK)
    return _SHAPES.sub(MASK, _HEADER.sub(rf"\1\2{MASK}", text))


def _forms(secrets: Iterable[Secret]) -> list[str]:
    """Longest first, so that no form is cut by a shorter one; tiny values would mask prose."""
    found: set[str] = set()
    for secret in secrets:
        raw = secret.reveal()
        plain = raw.decode("utf-8", "replace")
        found |= {plain, quote(plain, safe=""), base64.b64encode(raw).decode("ascii")}
    return sorted((form for form in found if len(form) >= _SHORTEST), key=len, reverse=True)
