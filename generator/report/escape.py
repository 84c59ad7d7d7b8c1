"""Text from manifests made inert in Markdown: no mention, link, heading or HTML comes of it."""

from __future__ import annotations

import re

from generator.core.visible import one_line

_CODE = re.compile(r"[^`|\\<>@&\s](?:[^`|\\<>@&]*[^`|\\<>@&\s])?")
_SAFE = re.compile(r"[A-Za-z0-9 ./,+=-]")
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|_+")
# Forges make links of these after Markdown is done, so no escape of Markdown's helps: a
# zero-width space behind the sign does. GitHub: @user #1; GitLab also !1 $1 %1 ~label &1.
_REFERENCE = re.compile(r"([@#!$%~&])(?=[\w\"])")
_RUN = re.compile(r"`+")


def code(text: str, limit: int = 200) -> str:
    """Inline code that is safe everywhere, also in table cells and headings."""
    words = clipped(one_line(text), limit)
    if not words.strip():
        return "`-`"
    if _CODE.fullmatch(words):
        return f"`{words}`"
    return f"<code>{''.join(_entity(character) for character in words)}</code>"


def value(text: str, limit: int = 200) -> str:
    """Inline code where that needs no HTML, else inert text: for values that anyone may write."""
    words = clipped(one_line(text), limit)
    return code(words, limit) if not words.strip() or _CODE.fullmatch(words) else _inert(words)


def prose(text: str) -> str:
    """A sentence; what it has in backticks stays code."""
    parts = one_line(text).split("`")
    if len(parts) % 2 == 0:  # an unpaired backtick is none of ours
        parts = [*parts[:-2], f"{parts[-2]}'{parts[-1]}"]
    return "".join(
        code(part, 2_000) if index % 2 and part else _inert(part)
        for index, part in enumerate(parts)
    )


def fence(text: str) -> str:
    """Backticks longer than any run of them in the text."""
    longest = max((len(run) for run in _RUN.findall(text)), default=0)
    return "`" * max(3, longest + 1)


def clipped(text: str, limit: int) -> str:
    """No longer than `limit` characters, the cut marked."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\u2026"


def _inert(text: str) -> str:
    text = _REFERENCE.sub("\\1\u200b", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKDOWN.sub(_escaped, text)
    return text.replace("://", ":\u200b//").replace("www.", "www\u200b.")


def _escaped(match: re.Match[str]) -> str:
    """Underscores between letters or digits mean nothing to Markdown and stay readable."""
    found, text = match.group(), match.string
    around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
    if found[0] == "_" and len(around) == 2 and around.isalnum():
        return found
    return "".join(f"\\{character}" for character in found)


def _entity(character: str) -> str:
    return character if _SAFE.fullmatch(character) else f"&#{ord(character)};"
