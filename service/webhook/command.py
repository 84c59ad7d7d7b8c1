"""Commands in comments: a line that starts with `/gen-env`."""

from __future__ import annotations

import dataclasses
import enum
import re

_SHA = re.compile(r"[0-9a-f]{7,64}")
_RULE = re.compile(r"[a-z0-9][a-z0-9-]*(?:/[a-z0-9][a-z0-9-]*)*(?::[a-z0-9][a-z0-9/-]*)?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_PREFIX = "/gen-env"
_REASON_LENGTH = 500
_MOST = 10


class Verb(enum.StrEnum):
    """What a comment can ask for."""

    CHECK = "check"
    OK_TO_TEST = "ok-to-test"
    ACCEPT = "accept"
    OVERRIDE = "override"


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """One command. `sha` is the commit that it is about (at least 7 digits; none for CHECK).

    A command that misses something has a `fault` that says how it is written, and no effect.
    """

    verb: Verb
    sha: str = ""
    rule: str = ""
    reason: str = ""
    fault: str = ""


USAGE = {
    Verb.CHECK: "/gen-env check",
    Verb.OK_TO_TEST: "/gen-env ok-to-test <sha>",
    Verb.ACCEPT: "/gen-env accept <rule> <sha>",
    Verb.OVERRIDE: "/gen-env override <sha> <reason>",
}


def parse(text: str) -> tuple[Command, ...]:
    """The commands of a comment, in order; quotes and code blocks are somebody else's words."""
    found = [command for line in _own_lines(text) if (command := _command(line))]
    if len(found) > _MOST:
        left = f"only the first {_MOST - 1} commands of a comment are carried out"
        found[_MOST - 1 :] = [Command(Verb.CHECK, fault=left)]
    return tuple(found)


def _own_lines(text: str) -> list[str]:
    lines: list[str] = []
    fence = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            closes = mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence)
            fence = "" if closes and not line.strip(" \t`~") else fence
        elif mark:
            fence = mark[1]
        elif not line.startswith(("    ", "\t")):
            lines.append(line)
    return lines


def _command(line: str) -> Command | None:
    words = line.strip().split()
    if words[:1] != [_PREFIX] or len(words) < 2:
        return None
    try:
        verb = Verb(words[1])
    except ValueError:
        return Command(Verb.CHECK, fault=f"unknown command; known are {', '.join(Verb)}")
    match verb, words[2:]:
        case Verb.CHECK, []:
            return Command(verb)
        case Verb.OK_TO_TEST, [sha] if _is_sha(sha):
            return Command(verb, sha.lower())
        case Verb.ACCEPT, ["impact/silenced", _]:
            return Command(verb, fault="write /gen-env accept impact/silenced:RULE <sha>")
        case Verb.ACCEPT, [rule, sha] if _is_sha(sha) and _RULE.fullmatch(rule):
            return Command(verb, sha.lower(), rule=rule)
        case Verb.OVERRIDE, [sha, _, *_] if _is_sha(sha):
            return Command(verb, sha.lower(), reason=" ".join(words[3:])[:_REASON_LENGTH])
        case _:
            return Command(verb, fault=f"write {USAGE[verb]}")


def _is_sha(word: str) -> bool:
    return bool(_SHA.fullmatch(word.lower()))
