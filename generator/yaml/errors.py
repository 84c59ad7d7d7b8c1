"""What is said to people whose YAML cannot be read."""

from __future__ import annotations

import re
from typing import Any

import yaml

from generator.core.errors import UserError


class YamlError(UserError):
    """A text that is not the YAML we accept: path, line and a hint; never a value of the text."""


# What libyaml says (src/scanner.c, src/parser.c) against what helps the person who typed it.
# The third element chooses the place: where the trouble began, or where it was noticed.
_WORDS: tuple[tuple[str, str, str, bool], ...] = (
    (
        "mapping values are not allowed",
        "a ':' appears where no key is allowed",
        "line this key up with its neighbours; put the value in quotes if it contains ': '",
        False,
    ),
    (
        "could not find expected ':'",
        "a key has no ':' after it",
        "write 'key: value', with a space after the colon",
        True,
    ),
    (
        "did not find expected key",
        "the indentation fits no open block, or text follows a value",
        "line the keys of one block up, with spaces; quote a value that holds quotes",
        False,
    ),
    (
        "did not find expected '-' indicator",
        "the indentation fits no open list",
        "start each item of one list with '- ' in the same column",
        False,
    ),
    (
        "block sequence entries are not allowed",
        "a '-' list item appears where none is allowed",
        "start the list on the line below its key",
        False,
    ),
    (
        "found unexpected end of stream",
        "a quote is opened and never closed",
        "close the quoted text",
        True,
    ),
    (
        "did not find expected ',' or ']'",
        "a '[' list is not closed or lacks a comma",
        "separate items with ',' and close the list with ']'",
        True,
    ),
    (
        "did not find expected ',' or '}'",
        "a '{' mapping is not closed or lacks a comma",
        "separate entries with ',' and close the mapping with '}'",
        True,
    ),
    (
        "did not find expected node content",
        "a key or value is missing inside '[...]' or '{...}'",
        "remove the ',' or ':' that has nothing beside it, or quote it",
        False,
    ),
    (
        "found unknown escape character",
        "a backslash in double quotes starts no known escape",
        "write \\\\ for a backslash, or use single quotes",
        False,
    ),
    (
        "found unexpected document indicator",
        "'---' or '...' inside a quoted text",
        "close the quoted text before the next document",
        True,
    ),
    (
        "found incompatible YAML document",
        "a %YAML line asks for a version that cannot be read",
        "remove the line that starts with %YAML",
        False,
    ),
)
_RESERVED = "@`%"


def from_parser(error: yaml.YAMLError, text: str, path: str) -> YamlError:
    """The parser's complaint as an error for people; `text` is what was parsed."""
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable(error, text, path)
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlError("not valid YAML", path=path)
    noticed = error.problem_mark or error.context_mark
    began = error.context_mark or noticed
    problem = error.problem or "not valid YAML"
    if noticed is not None and (tabbed := _tab_line(text, noticed.line)) is not None:
        return YamlError(
            "a tab is used for indentation",
            path=path,
            line=tabbed + 1,
            hint="indent with spaces: YAML allows no tabs there",
        )
    if "cannot start any token" in problem and noticed is not None:
        return _reserved(text, noticed, path)
    for words, message, hint, at_start in _WORDS:
        if words in problem:
            place = _line(began if at_start else noticed)
            return YamlError(message, path=path, line=place, hint=hint)
    return YamlError(f"not valid YAML: {problem}", path=path, line=_line(noticed))


def _line(mark: Any) -> int | None:
    return mark.line + 1 if mark else None


def _tab_line(text: str, noticed: int) -> int | None:
    """The line (from 0) whose indentation holds a tab: the one noticed or the one before it."""
    lines = re.split(r"\r\n|\r|\n", text)
    for line in (noticed, noticed - 1):
        if 0 <= line < len(lines) and re.match(r" *\t[ \t]*[^\s#]", lines[line]):
            return line
    return None


def _reserved(text: str, mark: yaml.Mark, path: str) -> YamlError:
    character = text[mark.index : mark.index + 1]
    what = f"a value cannot start with {character}" if character in _RESERVED else "not valid YAML"
    return YamlError(what, path=path, line=mark.line + 1, hint="put the value in quotes")


def _unreadable(error: yaml.reader.ReaderError, text: str, path: str) -> YamlError:
    # libyaml counts bytes here, unlike in its marks.
    before = text.encode("utf-8", "surrogatepass")[: error.position]
    return YamlError(
        f"the control character U+{_code_point(error.character):04X} is not allowed in YAML",
        path=path,
        line=before.count(b"\n") + 1,
        hint="remove it, or write it as an escape in double quotes",
    )


def _code_point(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")
