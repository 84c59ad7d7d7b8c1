"""Configuration options of one Airflow version and its providers, and what became of older names.

The data comes from the newest patch release of each minor version ("line") of Airflow, and from the
newest release of each major version of a provider. Any other patch release is looked up by its
line. A version newer than the data is looked up in the newest line, and `Line.assumed` says so.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generator.airflow import releases
from generator.core.basis import NO_TABLE, Version

Option = tuple[str, str]
"""Section and name, both in lower case."""

_FORMS = ("_cmd", "_secret")
_LIKE_A_VARIABLE = re.compile(r"AIRFLOW_+(?!(?:VAR|CONN)_)(\w+)", re.IGNORECASE)
# Of a team too: `AIRFLOW__TEAM___CORE__X`.
_READ = re.compile(r"AIRFLOW__(?:[A-Z0-9_]+___)?(?:[A-Z0-9]|_(?!_))+__(?!_)[A-Z0-9_]+")


class Fate(enum.Enum):
    """What Airflow does with an option that somebody sets."""

    MOVED = "moved and still read"
    RENAMED = "moved and no longer read"
    REMOVED = "removed"
    LATER = "added in a later version"
    UNKNOWN = "not in any known version"
    FOREIGN = "in an unknown section"


@dataclasses.dataclass(frozen=True, slots=True)
class Documented:
    """One option of a release.

    `added` and `deprecated` are the versions that introduced and deprecated it, '' if unknown.
    """

    section: str
    name: str
    added: str = ""
    deprecated: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """A renamed option; `read` tells whether Airflow still reads the old name."""

    old: Option
    new: Option
    read: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What is wrong with one option: its new name, similar names, or the lines that have it."""

    fate: Fate
    new: Option | None = None
    suggestions: tuple[Option, ...] = ()
    lines: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """The line used for a version; `assumed` if the version is newer than the data."""

    name: str
    release: str
    assumed: bool


def line_of(version: str) -> Line | None:
    """The line of a release; None for any other text, and for a release older than the data."""
    numbers = releases.parse(version)
    if numbers is None:
        return None
    name = releases.dotted(numbers[:2])
    if name in _lines():
        return Line(name, _lines()[name], False)
    newest = _names()[-1]
    is_newer = numbers > (releases.parse(_lines()[newest]) or ())
    return Line(newest, _lines()[newest], True) if is_newer else None


def judged(airflow: Version) -> Version:
    """The version with the release by whose tables it is judged, where that is another one.

    A release older than the data is in no table.
    """
    numbers, line = releases.parse(airflow.version), line_of(airflow.version)
    if numbers is None:
        return airflow
    if line is None:
        return dataclasses.replace(airflow, table=NO_TABLE)
    is_newer = numbers > (releases.parse(line.release) or ())
    return dataclasses.replace(airflow, table=line.release) if is_newer else airflow


def lines_since(oldest: Sequence[int]) -> tuple[str, ...]:
    """The newest release of every line that is not older than `oldest`."""
    known = [(releases.parse(f"{name}.0") or (), release) for name, release in _lines().items()]
    return tuple(release for start, release in known if start[:2] >= tuple(oldest[:2]))


def options(version: str) -> tuple[Documented, ...]:
    """The options that Airflow itself documents in that version; none for an unknown version."""
    line = line_of(version)
    return tuple(
        Documented(section, name, entry.get("added", ""), entry.get("deprecated", ""))
        for section, names in sorted(_data()["options"].items())
        for name, entry in sorted(names.items())
        if line and line.name in _span(entry["in"]) and not entry.get("undocumented")
    )


def moved(version: str) -> tuple[Move, ...]:
    """Renamed options in that version, without sections renamed as a whole (see `unknown`)."""
    line = line_of(version)
    return tuple(
        Move(_option(old), _option(new), read)
        for old, entries in sorted(_data()["moved"].items())
        for span, (new, read) in entries
        if line and line.name in _span(span)
    )


def removed(version: str) -> tuple[Option, ...]:
    """The options that `airflow config lint` of that version reports as removed."""
    line = line_of(version)
    return tuple(
        _option(old)
        for old, entries in sorted(_data()["removed"].items())
        if line and any(line.name in _span(span) for span, _ in entries)
    )


def section_of_variable(text: str) -> str:
    """The section of `COMMON_IO` in `AIRFLOW__COMMON_IO__…`: `_` may stand for a dot there."""
    lower = text.lower()
    dots = {name.replace(".", "_"): name for name in _sections() if "." in name}
    return dots.get(lower, lower)


def misspelt_variable(name: str) -> Option | None:
    """The option that a variable means whose name Airflow does not read; None for any other.

    It differs from `AIRFLOW__SECTION__OPTION` in underscores or case. `AIRFLOW_CORE__X` means an
    option of that section even if there is none; `AIRFLOW_VAR_…` and `AIRFLOW_CONN_…` mean none.
    """
    match = _LIKE_A_VARIABLE.fullmatch(name)
    if match is None or _READ.fullmatch(name):
        return None
    for form in ("", *_FORMS):
        option = _by_letters().get(_letters(match[1]).removesuffix(form))
        if option and _letters(match[1]).endswith(form):
            return option[0], option[1] + form
    section, _, option_name = match[1].partition("__")
    known = section_of_variable(section)
    return (known, option_name.lower()) if option_name and known in _sections() else None


def unknown(section: str, option: str, version: str) -> Answer | None:
    """What is wrong with an option in that version; None if nothing is, or if it is not known.

    Options of providers are looked up in all versions of the provider together. Sections that
    Airflow reads as a whole accept any option.
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
    """The same name in another section, if exactly one other section has it."""
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
    """All options that a provider documents or reads in any version of the data."""
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


def _letters(text: str) -> str:
    return re.sub("[_.]+", "_", text).strip("_").lower()


@functools.cache
def _by_letters() -> dict[str, Option]:
    """Every option by the letters of its variable; Airflow's own before those of providers."""
    own = ((part, name) for part, names in _data()["options"].items() for name in names)
    found: dict[str, Option] = {}
    for section, name in (*sorted(own), *sorted(_provided())):
        found.setdefault(_letters(f"{section}_{name}"), (section, name))
    return found


@functools.cache
def _names_in(section: str) -> frozenset[str]:
    own = _data()["options"].get(section, {})
    return frozenset(own) | {name for part, name in _provided() if part == section}


def _moved_sections() -> Mapping[str, str]:
    return {old: entries[0][1] for old, entries in _data()["sections"]["moved"].items()}


@functools.cache
def _span(text: str) -> tuple[str, ...]:
    """The lines in a range such as `2.5-2.11,3.1`."""
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
    """The lines of the data, oldest first."""
    return tuple(sorted(_lines(), key=lambda name: releases.parse(f"{name}.0") or ()))


def _data() -> dict[str, Any]:
    return releases.data("options")
