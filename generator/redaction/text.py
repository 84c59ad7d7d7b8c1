"""Secrets out of texts: every scan of this package put together.

Every scan is linear in the length of the text: patterns start at a boundary, repeat possessively
or within a bound. Too much masked is a nuisance, too little a leak: of a text that holds more
secrets than any honest one does, nothing is shown.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

from generator.redaction.assignments import BLOCK_SCALAR, assignments, beside, flags
from generator.redaction.commands import commands
from generator.redaction.files import credential_files, private_key_bodies, private_keys
from generator.redaction.headers import headers
from generator.redaction.secret import MASK, Secret
from generator.redaction.tokens import Interval, tokens
from generator.redaction.urls import addresses, driver_addresses, parameters, secret_paths, webhooks

Scan = Callable[[str], Iterator[Interval]]
_SHORTEST = 6
_MOST = 20_000
"""Secrets that one scan takes from a text; every further one costs microseconds, a text is 1 MB."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}+={0,2}")
_SECRET_DOCUMENT = re.compile(r"^[ \t]*(?:- )?kind:[ \t]*[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_SECRET_DATA = re.compile(
    r"^(?P<indent>[ ]*)(?P<item>- )?(?:data|stringData):[ \t]*$", re.MULTILINE
)
_JSON_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_DATA_LINE = re.compile(r"(?P<indent>[ ]*)(?:[\"']?[\w.\-]+[\"']?:[ \t]*)?(?P<value>.*)")
_HINTS = re.compile(r"[\s:=@$\"'%&{<]|----|[\w+/.~-]{16}")
_SEPARATOR = "\x00\n"


def secret_intervals(text: str) -> list[Interval]:
    """The stretches that must not be shown, in order, none overlapping another."""
    if len(text) < 4 or _HINTS.search(text) is None:
        return []
    return _scanned(text, _SCANS)


def _scanned(text: str, scans: Iterable[Scan]) -> list[Interval]:
    intervals: list[Interval] = []
    for scan in scans:
        some = list(itertools.islice(scan(text), _MOST))
        if len(some) == _MOST:
            return [(0, len(text))]
        intervals += some
    return merged(intervals)


def shapes(text: str) -> list[Interval]:
    """Those that are known by their form alone, whatever name they stand under."""
    return merged(interval for scan in (*_IN_LINE, private_keys) for interval in scan(text))


def redact(text: str) -> str:
    """The text with every secret that can be recognised replaced by `<masked>`."""
    return _without(text, secret_intervals(text), "<masked>")


def redact_prose(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The same for sentences, log lines and finished pages, with `******`.

    Here `the Fernet key: …` assigns nothing, and nothing is masked that would break HTML or JSON.
    These secrets go too, plain, quoted for addresses or in base64.
    """
    for form in _forms(secrets):
        text = text.replace(form, MASK)
    found = merged(interval for scan in _SCANS_OF_PROSE for interval in scan(text))
    return _without(text, found, MASK)


def _forms(secrets: Iterable[Secret]) -> list[str]:
    """Longest first, so that no form is cut by a shorter one; tiny values would mask prose."""
    forms: set[str] = set()
    for secret in secrets:
        forms.update(spellings(secret.reveal().decode("utf-8", "replace")))
    return sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)


def spellings(text: str) -> tuple[str, ...]:
    """How a value may come back in a message: plain, in JSON, quoted for addresses, in base64."""
    return (
        text,
        json.dumps(text, ensure_ascii=False)[1:-1],
        urllib.parse.quote_plus(text),
        urllib.parse.quote(text, safe=""),
        base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
    )


def _without(text: str, intervals: Iterable[Interval], mark: str) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in intervals:
        pieces += (text[position:start], mark)
        position = end
    return "".join((*pieces, text[position:])) if pieces else text


def merged(found: Iterable[Interval]) -> list[Interval]:
    """In order, and none overlapping another."""
    apart: list[Interval] = []
    for start, end in sorted(found):
        if start >= end:
            continue
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


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
    values = set(_secret_values(document))
    for match in _JSON_STRING.finditer(text) if values else ():
        if json.loads(match.group()) in values:
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
    """Base64 whose content holds a secret that the other scans recognise.

    All contents are scanned together, so that many small ones cost no more than a large one.
    """
    words: list[Interval] = []
    contents: list[str] = []
    length = 0
    for match in _BASE64.finditer(text):
        if content := _decoded(match.group()):
            words.append(match.span())
            contents.append(content + _SEPARATOR)
            if len(words) == _MOST:
                yield 0, len(text)
                return
    if not contents:
        return
    hits = iter(_scanned("".join(contents), _SCANS[:-1]))
    hit = next(hits, None)
    for word, content in zip(words, contents, strict=True):
        length += len(content)
        begun = length - len(content)
        while hit and hit[1] <= begun:
            hit = next(hits, None)
        if hit and hit[0] < length:
            yield word


def _decoded(word: str) -> str | None:
    try:
        raw = base64.b64decode(word.replace("-", "+").replace("_", "/") + "==", validate=False)
        content = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return content if content.isprintable() or "\n" in content else None


_IN_LINE = (addresses, driver_addresses, parameters, webhooks, headers, tokens)
_SCANS_OF_PROSE = (*_IN_LINE, private_key_bodies)
_SCANS = (
    *_IN_LINE,
    secret_paths,
    private_keys,
    credential_files,
    commands,
    assignments,
    beside,
    flags,
    _secret_documents,
    _json_documents,
    _encoded,
)
