"""Credentials in HTTP headers, wherever they are written: a command, a proxy's settings, JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.redaction.names import holds_secret
from generator.redaction.references import is_name, is_reference
from generator.redaction.tokens import Interval

_SCHEMES = (
    "apikey|api-key|aws4-hmac-sha256|basic|bearer|digest|geniekey|hawk|hmac|jwt|key|negotiate|ntlm"
    "|oauth|sharedkey(?:lite)?|snowflake|splunk|ssws|token"
)
_AUTHORIZATION = re.compile(
    r"authorization(?:['\"\\]{0,4}[ \t]{0,8}(?P<sign>[:=,])|['\"\\]{0,4}[ \t])"
    rf"[ \t]{{0,8}}['\"\\\[]{{0,4}}[ \t]{{0,8}}(?:(?P<scheme>(?:{_SCHEMES}))(?:[ \t]{{1,8}}|%20))?"
    r"(?P<value>[^\s'\"\\<>;&]+)",
    re.IGNORECASE,
)
_LISTED = ("digest", "hawk", "oauth", "aws4-hmac-sha256")
_PARAMETER = re.compile(
    r"(?:response|signature|mac|token|hash)=['\"\\]{0,4}(?P<value>[^\s'\"\\,]+)", re.IGNORECASE
)
_MAX_PARAMETERS = 600
_LONELY = ("bearer", "basic", "geniekey", "splunk", "ssws")
_ALONE = re.compile(
    rf"(?<![\w-])(?:{'|'.join(_LONELY)})(?:[ \t]{{1,8}}|%20)(?P<value>[\w.~+/=-]{{8,}})",
    re.IGNORECASE,
)
_SET = re.compile(
    r"headers?(?P<verb>[ \t]{1,4}(?:set|add))?[ \t]{1,8}"
    r"['\"\\]{0,4}(?P<name>[\w-]{2,64}+)['\"\\]{0,4}:?[ \t]{1,8}['\"\\]{0,4}"
    r"(?P<value>[^\s'\"\\;]+)",
    re.IGNORECASE,
)
# `X-Vault-Token: …`, `"PRIVATE-TOKEN": "…"`: in sentences too, so the name must look like a header.
_NAMED = re.compile(
    r"(?<![\w-])(?P<name>[A-Za-z]{1,20}(?:-[A-Za-z0-9]{1,20}){1,4}+)['\"\\]{0,4}[ \t]{0,8}"
    r":[ \t]{0,8}['\"\\]{0,4}(?P<value>[^\s'\"\\<>;,&]+)"
)
_NAME_ENDS = ("-token", "-key", "-secret", "-auth")
_VERB = re.compile(r"(?:set|add|request|input)[_-]", re.IGNORECASE)
_COOKIE = re.compile(
    r"cookie['\"\\]{0,4}[ \t]{0,8}:[ \t]{0,8}['\"\\]{0,4}[\w.-]{1,64}+=(?P<value>[^'\"\\\s<>]+)",
    re.IGNORECASE,
)
# Words that follow `Bearer` or `Authorization` in sentences.
_PROSE = re.compile(
    r"(?:access|and|auth|authentication|authorization|credentials?|headers?|is|or|scheme|tokens?"
    r"|with|header-based)[.,:)]?",
    re.IGNORECASE,
)


def headers(text: str) -> Iterator[Interval]:
    """The credentials of Authorization and its relatives, `Bearer …` anywhere, and cookies."""
    for match in _AUTHORIZATION.finditer(text):
        if _counts(match):
            yield from _credentials(text, match)
    lowered = text.lower()
    for match in _ALONE.finditer(text) if any(word in lowered for word in _LONELY) else ():
        value = match["value"]
        if re.search(r"[0-9=]", value) and not _is_plain(value):
            yield match.span("value")
    for match in _SET.finditer(text) if "header" in lowered else ():
        sets = match["verb"] or _VERB.search(text, max(0, match.start() - 8), match.start())
        if sets and holds_secret(match["name"], match["value"]):
            yield match.span("value")
    for match in _NAMED.finditer(text) if any(word in lowered for word in _NAME_ENDS) else ():
        like_header = not match["name"].islower() or match["name"].startswith("x-")
        if like_header and holds_secret(match["name"], match["value"]):
            yield match.span("value")
    for match in _COOKIE.finditer(text) if "cookie" in lowered else ():
        if not is_reference(match["value"]):
            yield match.span("value")


def _counts(match: re.Match[str]) -> bool:
    value = match["value"]
    if is_reference(value) or value.startswith("$") or _PROSE.fullmatch(value):
        return False
    if match["scheme"]:
        return True
    # `Authorization, Content-Type` is a list of names; `authorization: enabled` a setting.
    return match["sign"] in (":", "=") and not is_name(value.rstrip(",")) and not value.isupper()


def _is_plain(value: str) -> bool:
    return is_reference(value) or is_name(value) or _PROSE.fullmatch(value) is not None


def _credentials(text: str, match: re.Match[str]) -> Iterator[Interval]:
    """One word, or the parameters of schemes that have some."""
    yield match.span("value")
    if (match["scheme"] or "").lower() in _LISTED:
        end = min(len(text), match.end() + _MAX_PARAMETERS)
        for parameter in _PARAMETER.finditer(text, match.start("value"), end):
            yield parameter.span("value")
