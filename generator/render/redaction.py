"""Helm's messages without the values they quote."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from generator.redaction.secret import MASK
from generator.redaction.text import redact_prose, spellings
from generator.render.request import leaves

_LONGEST = 2_000
_SHORTEST = 4
# A word such as `CeleryExecutor` may be shown, unless it stands where secrets do.
_WORD = re.compile(r"[A-Za-z]{1,24}")
_SECRET_PLACE = re.compile(
    r"pass|pwd|secret|token|key|cred|conn|auth|private|salt|cert|url|uri|dsn|jwt|env|data|args"
    r"|command|backend|headers|account",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s\"'`:/@?&=,;{}\[\]()<>|#\\]+")
_FINEST = re.compile(r"[^\W_]+")

# Where Helm, Go's templates and its YAML reader quote input at length (or cut short, so that it
# could not be found by comparing).
_QUOTING = (
    (re.compile(r'(cannot parse template|execution for) "(?:[^"\\]|\\.)*"'), rf'\1 "{MASK}"'),
    (re.compile(r"(!!\w+ )`[^`]*`"), rf"\1`{MASK}`"),
    (re.compile(r"(can't iterate over ).*"), rf"\1{MASK}"),
)
_REFUSED = re.compile(r"(['\"])(.*?)\1(?= does not match pattern| is not valid )")
_GOTPL_CONTEXT = re.compile(r"at <[^>]*>")
_GOTPL_QUOTED = re.compile(r'"([^"]*)"|<([^>]*)>')
_IDENTIFIER = re.compile(r"[$.]?[a-z_.]{1,16}")


def redact(message: str, values: Mapping[str, Any], public: Collection[str] = ()) -> str:
    """The message with everything masked that comes from `values`.

    `public` holds words that are known to come from the chart itself. Short plain words (such as
    an executor's name) stay, unless their key says that secrets live there.
    """
    for pattern, replacement in _QUOTING:
        message = pattern.sub(replacement, message)
    message = _REFUSED.sub(_shown_word, message)
    pieces = set(_fragments(values, public))
    head, marker, tail = message.partition("gotpl")
    if marker:
        tail = _GOTPL_CONTEXT.sub(f"at <{MASK}>", tail)
        tail = _GOTPL_QUOTED.sub(lambda match: _shown_token(match, pieces), tail)
    message = head + marker + tail
    for piece in sorted(pieces, key=lambda text: (-len(text), text)):
        if piece in message:
            message = _pattern(piece, public).sub(MASK, message)
    message = redact_prose(message)
    return message if len(message) <= _LONGEST else message[:_LONGEST] + " …"


def is_secret_place(key: str) -> bool:
    """Whether a dotted values key names a place where secrets are usual."""
    return _SECRET_PLACE.search(key) is not None


def _shown_word(match: re.Match[str]) -> str:
    return match[0] if _WORD.fullmatch(match[2]) else f"{match[1]}{MASK}{match[1]}"


def _shown_token(match: re.Match[str], pieces: Collection[str]) -> str:
    token = match[1] if match[1] is not None else match[2]
    shown = token == MASK or (_IDENTIFIER.fullmatch(token) and token not in pieces)
    return match[0] if shown else match[0][0] + MASK + match[0][-1]


def _fragments(values: Mapping[str, Any], public: Collection[str]) -> Iterator[str]:
    """What may not appear in a message: each value, its encodings, and the parts it is made of."""
    for key, value in leaves(values):
        if value is None or isinstance(value, bool):
            continue
        text, secret = str(value), is_secret_place(key)
        for form in {text.strip(), *spellings(text)}:
            if _is_guarded(form, secret=secret):
                yield form
        for part in {*_BETWEEN.split(text), *_FINEST.findall(text)} - {text}:
            if part not in public and _is_guarded(part, secret=secret):
                yield part


def _is_guarded(text: str, *, secret: bool) -> bool:
    return len(text) >= _SHORTEST and (secret or not _WORD.fullmatch(text))


def _pattern(piece: str, public: Collection[str]) -> re.Pattern[str]:
    """Where to look for a piece: anywhere, unless it is a part of one of the chart's own words."""
    if piece.isdigit():
        return re.compile(rf"(?<!\d){piece}(?!\d)")
    if any(piece in word for word in public):
        return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(piece)}(?![A-Za-z0-9_])")
    return re.compile(re.escape(piece))
