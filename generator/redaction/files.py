"""Files that hold credentials by their form: keys, .netrc, .pgpass, user lists, password hashes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from generator.redaction.references import is_reference
from generator.redaction.tokens import Interval

_FRAME = re.compile(r"-{4,5} ?(?P<edge>BEGIN|END) (?P<what>[A-Z0-9 ]{1,60}?) ?-{4,5}")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.-]*+")
_OF_BODY = "".join(map(chr, (*range(48, 58), *range(65, 91), *range(97, 123)))) + "+/=\\ \t\r\n|>"
_LONGEST_TAIL = 20_000
_PUTTY = re.compile(r"^[ \t]*Private-Lines:[ \t]*\d+[ \t]*$", re.MULTILINE)
_PUTTY_END = re.compile(r"^[ \t]*Private-(?:MAC|Hash):[ \t]*\w*", re.MULTILINE)
_JWK = re.compile(r"\\?\"(?:d|p|q|dp|dq|qi|k)\\?\"[ \t]*:[ \t]*\\?\"(?P<value>[\w-]{8,})\\?\"")

_NETRC = re.compile(r"passw(?:or)?d[ \t\n]{1,16}(?P<value>[^\s\"'\\]+)")
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:auth_pass|bindpw|masterauth|requirepass|rootpw|sasl_passwd)[ \t]{1,16}"
    r"(?P<value>[^\s#]+)",
    re.MULTILINE,
)
_PGPASS = re.compile(
    r":(?<=[\w.*-]:)(?:\d{1,5}|\*)(?::(?=[\w.@$-]{0,63}[A-Za-z*])[\w*.@$-]{1,64}+){2}"
    r":(?P<value>(?:\\.|[^\n:\"'\\])+)(?![:\w])"
)
_PGPASS_HOST = re.compile(r"(?:^|[\s\"'>=])[\w.*-]{1,200}$")
_USERLIST = re.compile(
    r"^[ \t]*\\?\"[^\"\n\\]{1,200}+\\?\"[ \t]{1,16}+\\?\"(?P<value>[^\"\n\\]+)\\?\"[ \t]*"
    r"(?:;.*|#.*)?$",
    re.MULTILINE,
)
# crypt(3) and its relatives, all of which begin with a dollar; LDAP, SCRAM, PostgreSQL, Werkzeug.
_CRYPT = re.compile(
    r"\$(?:(?:apr1|[156]|y|gy|7)\$[^\s\"',:;$]{1,120}(?:\$[^\s\"',:;$]{1,120}){1,2}+"
    r"|2[abxy]?\$\d\d\$[./A-Za-z0-9]{22,}+|argon2(?:id|i|d)\$[^\s\"';:]{16,}+)"
)
_HASHES = (
    ("SCRAM-SHA-", re.compile(r"SCRAM-SHA-(?:256|512|1)\$[^\s\"',;]{8,}+")),
    ("{", re.compile(r"\{(?:S?SHA\d{0,3}|CRYPT|PLAIN|MD5|SMD5)\}[^\s\"',:;]{4,}+")),
    ("pbkdf2", re.compile(r"pbkdf2(?::sha\d+(?::\d+)?|_sha256\$\d+)\$[^\s\"',;]{8,}+")),
    ("scrypt:", re.compile(r"scrypt:\d+:\d+:\d+\$[^\s\"',;]{8,}+")),
    ("md5", re.compile(r"md5(?<![A-Za-z0-9]md5)[0-9a-f]{32}(?![A-Za-z0-9])")),
)
_REGISTRY_AUTH = re.compile(
    r"_?auth\\?[\"']?[ \t]{0,8}[:=][ \t]{0,8}\\?[\"']?(?P<value>[A-Za-z0-9+/]{6,}={0,2})"
)


def private_keys(text: str) -> Iterator[Interval]:
    """Keys in PEM, SSH2 and PuTTY frames and in JWK; without an end, to the end of the text."""
    for start, end, closed in _framed(text):
        # Texts that are scanned together are kept apart by a zero.
        yield start, end if closed else _or_end(text.find("\x00", start), text)
    yield from _putty(text)
    if "kty" in text:
        yield from (match.span("value") for match in _JWK.finditer(text))


def private_key_bodies(text: str) -> Iterator[Interval]:
    """The same in a page or a sentence, which go on after a key: only what can be part of a key."""
    for start, end, _ in _framed(text):
        body = _BODY.match(text, start, end)
        yield start, body.end() if body else start


def _framed(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of what stands in frames, and whether they end; each frame is read once."""
    opened: int | None = None
    previous = 0
    for frame in _FRAME.finditer(text):
        private, begins = "PRIVATE KEY" in frame["what"], frame["edge"] == "BEGIN"
        if opened is not None and not (private and begins):
            yield opened, frame.start(), True
            opened = None
        elif private and not begins and opened is None:
            yield _tail(text, previous, frame.start()), frame.start(), True
        if private and begins and opened is None:
            opened = frame.end()
        previous = frame.end()
    if opened is not None:
        yield opened, len(text), False


def _tail(text: str, previous: int, end: int) -> int:
    """Where a key begins whose first lines are missing."""
    start = max(previous, end - _LONGEST_TAIL)
    return start + len(text[start:end].rstrip(_OF_BODY))


def _or_end(position: int, text: str) -> int:
    return position if position >= 0 else len(text)


def _putty(text: str) -> Iterator[Interval]:
    position = 0
    while lines := _PUTTY.search(text, position):
        end = _PUTTY_END.search(text, lines.end())
        position = end.end() if end else len(text)
        yield lines.end(), position


def credential_files(text: str) -> Iterator[Interval]:
    """Passwords and their hashes in .netrc, .pgpass, userlist.txt, htpasswd, registry logins."""
    for match in _NETRC.finditer(text):
        if _follows_login(text, match.start()) and not is_reference(match["value"]):
            yield match.span("value")
    for match in _PGPASS.finditer(text):
        if _PGPASS_HOST.search(text, max(0, match.start() - 200), match.start()):
            yield match.span("value")
    for pattern in (_DIRECTIVE, _USERLIST):
        for match in pattern.finditer(text):
            if not is_reference(match["value"]):
                yield match.span("value")
    for match in _CRYPT.finditer(text):
        yield match.span()
    for start, pattern in _HASHES:
        for match in pattern.finditer(text) if start in text else ():
            yield match.span()
    for match in _REGISTRY_AUTH.finditer(text) if "auth" in text else ():
        if _is_login(match["value"]):
            yield match.span("value")


def _follows_login(text: str, start: int) -> bool:
    """`machine host`, `login user` or `default` stands before `password`."""
    before = text[max(0, start - 300) : start].split()[-2:]
    return before[-1:] == ["default"] or before[:-1] in (["machine"], ["login"], ["account"])


def _is_login(word: str) -> bool:
    """Whether this is `user:password` in base64, as registries and npm take it."""
    try:
        content = base64.b64decode(word + "==").decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return content.isprintable() and ":" in content
