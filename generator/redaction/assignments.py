"""Where a text gives a secret to a name: `password = …`, `"token": "…"`, `--password …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.redaction.names import Claim, claim, holds_secret
from generator.redaction.references import is_name
from generator.redaction.tokens import Interval

_ASSIGNMENT = re.compile(
    r"(?<![\w.\-])(?P<name>[\w.\-]{2,256}+)(?P<quote>\\{0,7}[\"']?\]?)[ \t]{0,16}+(?P<op>=>|[:=])"
    r"(?P<gap>[ \t]{0,16}+)"
)
_FLAG = re.compile(r"-(?<![\w-]-)-?(?P<name>[A-Za-z][\w.-]{1,64}+)[ \t]{1,8}+(?=[^\s-])")
_USERS_CREATE = re.compile(r"-p(?<![\w-]-p)[ \t]{1,8}+(?=[^\s-])")
_ESCAPED = re.compile(r"\"(?P<body>(?:[^\"\\\n]|\\.)*+)\"")  # as JSON and YAML escape
_QUOTED = re.compile(r"(?P<q>\\{0,7}[\"'])(?P<body>(?:(?!(?P=q))[^\n])*+)(?P=q)")
_AFTER_QUOTE = re.compile(r"[ \t]*(?:[,}\]);#&|]|$)", re.MULTILINE)
_WORD = re.compile(r"[^\s,;&\"'}\])|]+")
_LINE = re.compile(r"[^\n]*")
_TUPLE = re.compile(r"\([^()\n]{1,400}\)")
# A value on the line below its key, alone or as the first of a list.
_BELOW = re.compile(
    r"[ \t]*\n[ \t]*(?P<dash>- )?(?P<value>(?!- |[\"']?[\w./-]+[\"']?:(?:\s|$))[^\s{\[]\S*)[ \t]*$",
    re.MULTILINE,
)
# `<password>…</password>`, and `<value>…</value>` behind a `<name>`.
_ELEMENT = re.compile(
    r"<(?P<name>[\w.:-]{2,64}+)(?:\s[^<>]{0,200})?>\s{0,80}(?P<value>[^<>\s][^<>]{0,4000}+)</"
)
# Names and values that stand beside each other: `ENV X y`, `set -x X y`, `setdefault('X', 'y')`.
_BESIDE = re.compile(
    r"(?:\b(?:ENV|setx|setenv|set[ \t]{1,4}-\w{1,4})[ \t]{1,8}(?P<name>[A-Za-z_]\w{1,64}+)"
    r"[ \t]{1,8}(?P<value>[^\s=]\S*)"
    r"|(?P<quote>[\"'])(?P<quoted>[\w.-]{2,64}+)(?P=quote)[ \t]{0,4},[ \t]{0,4}"
    r"(?P<mark>[\"'])(?P<argument>[^\"'\n]{1,4000}+)(?P=mark)[ \t]{0,4}\))"
)
NAMES = ("name", "key", "parameter", "conn_id")
VALUES = ("value", "val")
"""Keys of a pair that is written as two: `{name: DB_PASSWORD, value: …}`."""
_INDENT = re.compile(r"[ \-]*+")
_UNQUOTED = re.compile(r"\S+")
_STRUCTURE = re.compile(r"\[?\{[ \t]*[\"']?[\w.-]{1,64}[\"']?[ \t]*:")
BLOCK_SCALAR = re.compile(r"[|>][-+0-9]{0,2}[ \t]*$", re.MULTILINE)


def assignments(text: str) -> Iterator[Interval]:
    """`name = value`, `name: value`, `"name": "value"`, and pairs of `name:` and `value:`."""
    named = ""
    position = 0
    while match := _ASSIGNMENT.search(text, position):
        position = match.end()
        name = match["name"]
        if name.lower() in NAMES:
            named = _value(text, position)
            continue
        if name.lower() in VALUES and named:
            name, named = named, ""
        claimed = claim(name)
        if claimed is not Claim.NONE and not _is_part(text, match.start()):
            for start, end in _assigned(text, match, name, claimed):
                yield start, end
                position = max(position, end)
            named = ""


def _is_part(text: str, start: int) -> bool:
    """`checksum/fernet-key` and `arn:…:secret:x` are names as wholes."""
    last = text[start - 1 : start]
    if last == "/":
        return text.endswith("checksum/", 0, start)
    return last == ":" and "arn:" in text[max(0, start - 120) : start].split()[-1]


def _value(text: str, start: int) -> str:
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted["body"]
    word = _WORD.match(text, start)
    return word.group() if word else ""


def beside(text: str) -> Iterator[Interval]:
    """What XML, Dockerfiles, shells and calls give to a name without an equals sign or colon."""
    named = ""
    for match in _ELEMENT.finditer(text) if "</" in text else ():
        name, value = match["name"], match["value"]
        if name.lower() in VALUES and named:
            name = named
        named = value if name.lower() in NAMES else ""
        if holds_secret(name, value):
            yield match.span("value")
    for match in _BESIDE.finditer(text):
        kind = "value" if match["name"] else "argument"
        if holds_secret(match["name"] or match["quoted"], match[kind]):
            yield match.span(kind)


def _below(text: str, match: re.Match[str], name: str) -> Iterator[Interval]:
    value = _BELOW.match(text, match.end())
    if not value or match["op"] != ":":
        return
    key = _indent(text, text.rfind("\n", 0, match.start()) + 1)
    depth = _indent(text, text.find("\n", match.end()) + 1)
    word = value["value"].strip("\"',")
    listed = value["dash"] and is_name(word)
    if depth > key and not listed and holds_secret(name, word):
        yield value.span("value")


def _assigned(text: str, match: re.Match[str], name: str, claimed: Claim) -> Iterator[Interval]:
    start = match.end()
    first = text[start : start + 1]
    if first in ("|", ">") and BLOCK_SCALAR.match(text, start):
        below = text.find("\n", start) + 1
        begin = text[below : below + 1]
        # A line that begins with a word is not deeper than any other.
        if claimed >= Claim.UNLESS_PATH and (begin in ("-", "") or begin.isspace()):
            yield from _deeper_lines(text, match.start(), start)
        return
    if claimed is Claim.UNLESS_NAME and _STRUCTURE.match(text, start):
        return
    if first in ("\n", "\r", " ", "\t", ""):
        yield from _below(text, match, name)
        return
    opened = first in ("'", '"', "\\")
    quoted = (_ESCAPED.match(text, start) or _QUOTED.match(text, start)) if opened else None
    if quoted and _AFTER_QUOTE.match(text, quoted.end()):
        span = quoted.span("body")
    elif first == "(" and (several := _TUPLE.match(text, start)):
        span = several.span()
    elif opened or _opens_line(text, match.start()):
        line = _LINE.match(text, start)
        assert line is not None
        span = (start, start + len(line.group().rstrip().rstrip(",")))
    else:
        word = _WORD.match(text, start)
        span = word.span() if word else (start, start)
    if holds_secret(name, text[slice(*span)]):
        yield span


def _opens_line(text: str, start: int) -> bool:
    """Whether only indentation, a dash, a quote, `export` or `set` stand before it on its line."""
    last = text[start - 1 : start]
    if last in ("", "\n"):
        return True
    if last not in " \t\"'-":
        return False
    before = text[max(text.rfind("\n", max(0, start - 200), start) + 1, start - 200) : start]
    return re.fullmatch(r"[ \t\"'\-]*(?:(?:export|set|ENV|env)[ \t]+)?", before) is not None


def _deeper_lines(text: str, key: int, start: int) -> Iterator[Interval]:
    """The lines of a block scalar: those indented deeper than the line of its key."""
    line_start = text.rfind("\n", 0, key) + 1
    depth = _indent(text, line_start)
    position = text.find("\n", start) + 1
    while 0 < position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if not text[position:end].isspace() and position < end:
            indent = _indent(text, position)
            if indent <= depth:
                return
            yield position + indent, end
        position = end + 1


def _indent(text: str, start: int) -> int:
    indent = _INDENT.match(text, start)
    assert indent is not None
    return indent.end() - start


def flags(text: str) -> Iterator[Interval]:
    """`--password VALUE`, and `-p VALUE` of `airflow users create`."""
    for match in _FLAG.finditer(text):
        if claim(match["name"]) is not Claim.NONE:
            yield from _argument(text, match.end(), match["name"])
    if "users create" in text:
        for match in _USERS_CREATE.finditer(text):
            yield from _argument(text, match.end(), "password")


def _argument(text: str, start: int, name: str) -> Iterator[Interval]:
    quoted = _QUOTED.match(text, start)
    word = _UNQUOTED.match(text, start)
    span = quoted.span("body") if quoted else word.span() if word else (start, start)
    if holds_secret(name, text[slice(*span)]):
        yield span
