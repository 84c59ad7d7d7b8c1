"""Characters that hide or forge text are written out before anybody reads them."""

from __future__ import annotations

import re

# Controls (tab and newline have their own meaning), format characters that reorder or hide text
# ("Trojan Source", CVE-2021-42574), separators that some viewers break lines at, surrogates.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text with every hidden character as `\\xNN` or `\\uNNNN`; tabs and newlines stay."""
    return _HIDDEN.sub(_written, text)


def one_line(text: str) -> str:
    """The text on a single line, nothing hidden."""
    return visible(" ".join(text.split()) if "\n" in text or "\t" in text else text)


def _written(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
