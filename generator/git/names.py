"""Names of files as untrusted trees have them: any bytes but NUL."""

from __future__ import annotations

import re

# Control characters, and the marks that make text run the other way (unicode.org/reports/tr9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LONGEST = 255
# Names as nearly all are, of which nothing can be wrong.
_USUAL = re.compile(rb"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)


def shown(raw: bytes) -> tuple[str, str]:
    """A path fit to be shown, odd characters as escapes, and what is wrong with it or nothing."""
    if len(raw) <= _LONGEST and _USUAL.fullmatch(raw):
        return raw.decode("ascii"), ""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return _escaped(raw.decode("utf-8", "backslashreplace")), "its name is not UTF-8"
    if _UNSEEN.search(name):
        return _escaped(name), "its name holds control or invisible characters"
    parts = name.split("/")
    if {"", ".", ".."}.intersection(parts) or ".git" in (part.lower() for part in parts):
        return name, "its name points outside the folder"
    if any(len(part.encode()) > _LONGEST for part in parts):
        return name, f"its name is longer than {_LONGEST} bytes"
    return name, ""


def _escaped(name: str) -> str:
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", name)
