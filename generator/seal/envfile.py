"""Env files (`KEY=value` lines) read strictly: every error with its line, no value in any."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal.sealed_secret import MAX_SECRET_BYTES

_ENTRY = re.compile(r"\s*(?:export\s+)?(?P<key>[-._A-Za-z0-9]+)\s*=[ \t]*(?P<rest>.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "'": "'"}
_COMMENT = re.compile(r"\s+#.*")
_AFTER = re.compile(r"\s*(#.*)?")


@dataclasses.dataclass(frozen=True, slots=True)
class _Mistake:
    line: int
    message: str


def read(path: Path) -> dict[str, Secret]:
    """The values of an env file by key; see `parse`. Raises UserError if it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise UserError(f"cannot read the env file: {error.strerror}", path=str(path)) from None
    if len(data) > MAX_SECRET_BYTES:
        raise UserError("the file is larger than a Secret can hold (1 MiB)", path=str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise UserError("the env file is not UTF-8 text", path=str(path))
    return parse(text, str(path))


def parse(text: str, path: str = "") -> dict[str, Secret]:
    """The values of an env file's text.

    Blank lines, `#` comments and `export` are understood. A bare value ends before ` #`; single
    quotes keep everything, double quotes know \\n \\t \\r \\" \\\\ \\$; both may run over lines.
    Nothing is interpolated. Raises one UserError that lists every mistake by line.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    values: dict[str, Secret] = {}
    mistakes: list[_Mistake] = []
    index = 0
    while index < len(lines):
        start, line = index, lines[index]
        index += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            mistakes.append(_Mistake(start + 1, "expected KEY=value"))
            continue
        key = entry["key"]
        value, index, wrong = _value(entry["rest"], lines, index)
        if key in values:
            wrong = wrong or f"{key} is given twice"
        if wrong or value is None:
            mistakes.append(_Mistake(start + 1, wrong or f"{key} has no value"))
            continue
        values[key] = value
    _raise(mistakes, path)
    return values


def _value(rest: str, lines: list[str], index: int) -> tuple[Secret | None, int, str]:
    """The value, the index of the next line to read, and what is wrong."""
    quote = rest[:1]
    if quote not in ("'", '"'):
        bare = "" if rest.startswith("#") else _COMMENT.sub("", rest, count=1).strip()
        return (Secret(bare) if bare else None), index, ""
    body, end = rest[1:], _closing(rest[1:], quote)
    while end is None and index < len(lines):
        body, index = f"{body}\n{lines[index]}", index + 1
        end = _closing(body, quote)
    if end is None:
        return None, index, "the quote is never closed"
    if not _AFTER.fullmatch(body[end + 1 :]):
        return None, index, "something follows the closing quote"
    return _unquoted(body[:end], quote), index, ""


def _closing(body: str, quote: str) -> int | None:
    pattern = r"(?:\\.|[^\"\\])*" if quote == '"' else r"[^']*"
    match = re.match(pattern, body, re.DOTALL)
    end = match.end() if match else 0
    return end if body[end : end + 1] == quote else None


def _unquoted(body: str, quote: str) -> Secret | None:
    if not body:
        return None
    if quote == "'":
        return Secret(body)
    # An escape we don't know keeps its backslash, so that Windows paths and regexes survive.
    return Secret(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), body, flags=re.DOTALL))


def _raise(mistakes: list[_Mistake], path: str) -> None:
    if not mistakes:
        return
    first, *others = mistakes
    listed = "".join(f"; line {mistake.line}: {mistake.message}" for mistake in others)
    raise UserError(
        first.message + listed,
        path=path or "env file",
        line=first.line,
        hint="one KEY=value a line; quote values that hold spaces before '#', quotes or line ends",
    )
