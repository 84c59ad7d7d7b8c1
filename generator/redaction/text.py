"""Where in a text a secret stands: in addresses, assignments, keys, flags, blocks.

Every scan here is linear in the length of the text: patterns start at a boundary, repeat
possessively or within a bound. Too much masked is a nuisance, too little a leak.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator

from generator.redaction.assignments import BLOCK_SCALAR, Interval, assignments, flags
from generator.redaction.names import is_secret_name

_STOP = re.compile(r"[\s\"'<>`\\]")
_MAX_ADDRESS = 4_096
_PLAIN_USERS = ("ssh", "git", "sftp", "svn+ssh", "git+ssh")
_DRIVER_ADDRESS = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}+:(?P<secret>[^\s:@/'\"]{1,128})@(?!sha\d)(?=tcp\(|[\w.-]{1,100}+[:/])"
)
_TOKENS = re.compile(
    r"(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{16,}+|gl(?:pat|dt|rt)-[\w-]{16,}+"
    r"|xox[abeoprs]-[\w-]{10,}+|A(?:KIA|SIA)[A-Z0-9]{16}(?![\w-])|sk-[\w-]{16,}+"
    r"|eyJ[\w-]{10,}+\.[\w-]{10,}+\.[\w-]{5,}+"
    # A Fernet key: 32 bytes in url-safe base64, always with one "=".
    r"|[\w-]{43}=(?![\w=]))"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}+={0,2}")
_SECRET_DOCUMENT = re.compile(r"^[ \t]*(?:- )?kind:[ \t]*[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_SECRET_DATA = re.compile(
    r"^(?P<indent>[ ]*)(?P<item>- )?(?:data|stringData):[ \t]*$", re.MULTILINE
)
_DATA_LINE = re.compile(r"(?P<indent>[ ]*)(?:[\"']?[\w.\-]+[\"']?:[ \t]*)?(?P<value>.*)")
_HINTS = re.compile(r"[:=@]|-----|--?[A-Za-z]|[\w+/-]{16}")


def secret_intervals(text: str) -> list[Interval]:
    """The stretches that must not be shown, in order, none overlapping another."""
    if len(text) < 4 or _HINTS.search(text) is None:
        return []
    found: list[Interval] = []
    for scan in _SCANS:
        found += scan(text)
    return _merged(found)


def redact(text: str) -> str:
    """The text with every secret that can be recognised replaced by `<masked>`."""
    return _without(text, secret_intervals(text))


def redact_prose(text: str) -> str:
    """The same for our own sentences, in which `the Fernet key: …` assigns nothing."""
    found = [interval for scan in _SCANS_OF_PROSE for interval in scan(text)]
    return _without(text, _merged(found))


def _without(text: str, intervals: Iterable[Interval]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in intervals:
        pieces += (text[position:start], "<masked>")
        position = end
    return "".join((*pieces, text[position:])) if pieces else text


def _merged(found: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(found):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _addresses(text: str) -> Iterator[Interval]:
    """`scheme://user:PASSWORD@host`, and `https://TOKEN@host`; up to the last @, as SQLAlchemy."""
    position = 0
    while (mark := text.find("://", position)) >= 0:
        start = position = mark + 3
        nearest = text.find("@", start)
        if nearest < 0:
            return
        if nearest > start + _MAX_ADDRESS:
            continue
        stop = _STOP.search(text, start, start + _MAX_ADDRESS)
        end = stop.start() if stop else min(len(text), start + _MAX_ADDRESS)
        at = text.rfind("@", start, end)
        if at < 0:
            continue
        colon = text.find(":", start, at)
        if colon >= 0:
            yield colon + 1, at
        elif _scheme(text, mark) not in _PLAIN_USERS and not _plain_user(text, start, at, mark):
            yield start, at
        position = at


def _scheme(text: str, mark: int) -> str:
    head = text[max(0, mark - 32) : mark]
    return re.split(r"[^A-Za-z0-9+.\-]", head)[-1].lower()


def _plain_user(text: str, start: int, at: int, mark: int) -> bool:
    """`postgresql://airflow@host`: only over http is a lone user likely to be a token."""
    return not _scheme(text, mark).startswith("http") and "/" not in text[start:at]


def _driver_addresses(text: str) -> Iterator[Interval]:
    for match in _DRIVER_ADDRESS.finditer(text):
        yield match.span("secret")


def _queries(text: str) -> Iterator[Interval]:
    """`?sslpassword=…`, `&sig=…`, `&X-Amz-Signature=…`."""
    for match in re.finditer(r"[?&](?P<name>[\w.\-]{1,64}+)=(?P<value>[^&\s\"'<>#\\]+)", text):
        name = match["name"].lower()
        if name in ("sig", "key", "signature", "x-amz-signature") or is_secret_name(match["name"]):
            yield match.span("value")


def _tokens(text: str) -> Iterator[Interval]:
    for match in _TOKENS.finditer(text):
        yield match.span()


def _private_keys(text: str) -> Iterator[Interval]:
    for match in _PEM.finditer(text):
        end = _PEM_END.search(text, match.end())
        yield match.end(), end.start() if end else len(text)


def _secret_documents(text: str) -> Iterator[Interval]:
    """The data of a Secret that is written out as YAML inside another object's text."""
    if not _SECRET_DOCUMENT.search(text):
        return
    position = 0
    for match in _SECRET_DATA.finditer(text):
        if match.start() < position:
            continue
        depth = len(match["indent"]) + len(match["item"] or "")
        position = match.end() + 1
        while position < len(text):
            line = _DATA_LINE.match(text, position)
            assert line is not None
            if line.group().strip() and len(line["indent"]) <= depth:
                break
            if not BLOCK_SCALAR.fullmatch(line["value"]):
                yield line.span("value")
            position = line.end() + 1


def _json_documents(text: str) -> Iterator[Interval]:
    """The data of a Secret that is written out as JSON, as `kubectl apply` does in annotations."""
    if '"Secret"' not in text or not text.lstrip().startswith(("{", "[")):
        return
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield 0, len(text)  # it speaks of a Secret and cannot be read: show none of it
        return
    for value in set(_secret_values(document)):
        for written in {json.dumps(value), json.dumps(value, ensure_ascii=False)}:
            for match in re.finditer(re.escape(written), text):
                yield match.start() + 1, match.end() - 1


def _secret_values(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("kind") == "Secret":
            for field in ("data", "stringData"):
                content = value.get(field)
                if isinstance(content, dict):
                    yield from (str(item) for item in content.values() if item)
        for item in value.values():
            yield from _secret_values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_values(item)


def _encoded(text: str) -> Iterator[Interval]:
    """Base64 whose content holds a secret that the other scans recognise."""
    for match in _BASE64.finditer(text):
        content = _decoded(match.group())
        if content and any(next(iter(scan(content)), None) for scan in _SCANS[:-1]):
            yield match.span()


def _decoded(word: str) -> str | None:
    try:
        raw = base64.b64decode(word.replace("-", "+").replace("_", "/") + "==", validate=False)
        content = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return content if content.isprintable() or "\n" in content else None


_SCANS_OF_PROSE = (_addresses, _driver_addresses, _queries, _tokens, _private_keys)
_SCANS = (
    *_SCANS_OF_PROSE,
    assignments,
    flags,
    _secret_documents,
    _json_documents,
    _encoded,
)
