"""Options of Airflow and its providers for one version, and what became of older names.

Derived from the newest patch of each line, and for providers from the newest of each major version;
a patch in between is answered by its line. An Airflow newer than the tables is answered by the
newest line, and the answer says so (`assumed`).
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generator.airflow import releases

Option = tuple[str, str]
"""Section and name, both lower case."""

_FORMS = ("_cmd", "_secret")


class Fate(enum.Enum):
    """What Airflow does with an option that is set."""

    MOVED = "moved and still read"
    RENAMED = "moved and no longer read"
    REMOVED = "removed"
    LATER = "not yet there"
    UNKNOWN = "known to no version"
    FOREIGN = "in a section that nobody known here has"


@dataclasses.dataclass(frozen=True, slots=True)
class Documented:
    """One option of a release: since when, and since when it is deprecated ('' for neither)."""

    section: str
    name: str
    added: str = ""
    deprecated: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """An old name, the new one, and whether Airflow still reads the old one."""

    old: Option
    new: Option
    read: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one option: its new name, similar names, or the lines that have it."""

    fate: Fate
    new: Option | None = None
    suggestions: tuple[Option, ...] = ()
    lines: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """The line that answers for a version; `assumed` if that version is newer than all known."""

    name: str
    release: str
    assumed: bool


def line_of(version: str) -> Line | None:
    """The line of a release; None if it is not a release number, or older than all known lines."""
    numbers = releases.parse(version)
    if numbers is None:
        return None
    name = releases.dotted(numbers[:2])
    if name in _lines():
        return Line(name, _lines()[name], False)
    newest = _names()[-1]
    is_newer = numbers > (releases.parse(_lines()[newest]) or ())
    return Line(newest, _lines()[newest], True) if is_newer else None


def lines_since(oldest: Sequence[int]) -> tuple[str, ...]:
    """The newest release of every known line from that version on."""
    known = [(releases.parse(f"{name}.0") or (), release) for name, release in _lines().items()]
    return tuple(release for start, release in known if start[:2] >= tuple(oldest[:2]))


def options(version: str) -> tuple[Documented, ...]:
    """What Airflow itself documents in that version; nothing for an unknown version."""
    line = line_of(version)
    return tuple(
        Documented(section, name, entry.get("added", ""), entry.get("deprecated", ""))
        for section, names in sorted(_data()["options"].items())
        for name, entry in sorted(names.items())
        if line and line.name in _span(entry["in"]) and not entry.get("undocumented")
    )


def moved(version: str) -> tuple[Move, ...]:
    """Old names in that version, those of whole sections left out (`unknown` knows them)."""
    line = line_of(version)
    return tuple(
        Move(_option(old), _option(new), read)
        for old, entries in sorted(_data()["moved"].items())
        for span, (new, read) in entries
        if line and line.name in _span(span)
    )


def removed(version: str) -> tuple[Option, ...]:
    """What `airflow config lint` of that version calls removed."""
    line = line_of(version)
    return tuple(
        _option(old)
        for old, entries in sorted(_data()["removed"].items())
        if line and any(line.name in _span(span) for span, _ in entries)
    )


def section_of_variable(text: str) -> str:
    """The section behind `COMMON_IO` of `AIRFLOW__COMMON_IO__…`: a dot is written as `_` there."""
    lower = text.lower()
    dots = {name.replace(".", "_"): name for name in _sections() if "." in name}
    return dots.get(lower, lower)


def unknown(section: str, option: str, version: str) -> Answer | None:
    """What is wrong with an option in that version; None if it is correct or cannot be judged.

    Options of providers are judged by all versions of the provider together, sections that are
    read whole not at all.
    """
    line = line_of(version)
    if line is None:
        return None
    section, option = section.lower(), option.lower()
    for form in _FORMS:
        base = option.removesuffix(form)
        if base != option and base in _names_in(section):
            option = base
    return _answer((section, option), line)


def _answer(asked: Option, line: Line) -> Answer | None:
    section = asked[0]
    if section in _data()["sections"]["open"]:
        return None
    for move in _moves(line.release):
        if move.old == asked:
            return Answer(Fate.MOVED if move.read else Fate.RENAMED, move.new)
    if asked in removed(line.release):
        return Answer(Fate.REMOVED, lines=_in_lines(asked))
    if asked in _provided() or line.name in _in_lines(asked):
        return None
    if section in _moved_sections():
        return _of_moved_section(asked, line)
    return _not_in_line(asked, line)


def _not_in_line(asked: Option, line: Line) -> Answer | None:
    section, _ = asked
    having = _in_lines(asked)
    is_providers = section in _provider_sections()
    if having:
        before = _names().index(having[0]) < _names().index(line.name)
        return None if is_providers else Answer(
            Fate.REMOVED if before else Fate.LATER, lines=having, suggestions=_elsewhere(asked)
        )  # fmt: skip
    likely = _similar(asked) + _elsewhere(asked)
    if section in _sections():
        return Answer(Fate.UNKNOWN, suggestions=likely)
    near = difflib.get_close_matches(section, sorted(_sections()), n=1, cutoff=0.8)
    wanted = (near[0], asked[1]) if near else None
    if wanted and wanted[1] in _names_in(wanted[0]):
        return Answer(Fate.UNKNOWN, suggestions=(wanted,))
    return Answer(Fate.FOREIGN)


def _of_moved_section(asked: Option, line: Line) -> Answer:
    new = _moved_sections()[asked[0]]
    reads = any(line.name in _span(span) for span, _ in _data()["sections"]["moved"][asked[0]])
    known = asked[1] in _names_in(new)
    if not known:
        return Answer(Fate.UNKNOWN, suggestions=_similar((new, asked[1])))
    return Answer(Fate.MOVED if reads else Fate.RENAMED, (new, asked[1]))


def _similar(asked: Option) -> tuple[Option, ...]:
    section, option = asked
    near = difflib.get_close_matches(option, sorted(_names_in(section)), n=2, cutoff=0.75)
    return tuple((section, name) for name in near)


def _elsewhere(asked: Option) -> tuple[Option, ...]:
    """The same name in another section, if only one has it."""
    having = [name for name in sorted(_sections()) if asked[1] in _names_in(name)]
    others = [name for name in having if name != asked[0]]
    return ((others[0], asked[1]),) if len(others) == 1 else ()


@functools.cache
def _moves(version: str) -> tuple[Move, ...]:
    return moved(version)


def _in_lines(asked: Option) -> tuple[str, ...]:
    entry = _data()["options"].get(asked[0], {}).get(asked[1])
    return _span(entry["in"]) if entry else ()


@functools.cache
def _provided() -> frozenset[Option]:
    """Every option that a known version of a provider documents or reads."""
    return frozenset(_provider_options())


def _provider_options() -> Iterable[Option]:
    for about in _data()["providers"].values():
        yield from ((part, name) for part, names in about["options"].items() for name in names)
        yield from map(_option, about["read"])


@functools.cache
def _provider_sections() -> frozenset[str]:
    return frozenset(part for about in _data()["providers"].values() for part in about["options"])


@functools.cache
def _sections() -> frozenset[str]:
    return frozenset(_data()["options"]) | _provider_sections()


@functools.cache
def _names_in(section: str) -> frozenset[str]:
    own = _data()["options"].get(section, {})
    return frozenset(own) | {name for part, name in _provided() if part == section}


def _moved_sections() -> Mapping[str, str]:
    return {old: entries[0][1] for old, entries in _data()["sections"]["moved"].items()}


@functools.cache
def _span(text: str) -> tuple[str, ...]:
    """The lines of `2.5-2.11,3.1`."""
    names: list[str] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _names().index(first), _names().index(last or first)
        names += _names()[start : end + 1]
    return tuple(names)


def _option(text: str) -> Option:
    section, _, name = text.partition(" ")
    return section, name


def _lines() -> Mapping[str, str]:
    lines: dict[str, str] = _data()["lines"]
    return lines


@functools.cache
def _names() -> tuple[str, ...]:
    """The lines, oldest first."""
    return tuple(sorted(_lines(), key=lambda name: releases.parse(f"{name}.0") or ()))


def _data() -> dict[str, Any]:
    return releases.data("options")
