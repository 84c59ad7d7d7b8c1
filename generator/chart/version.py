"""Semantic versions and ranges of them, read as Helm reads them."""

from __future__ import annotations

import dataclasses
import functools
import re

# As github.com/Masterminds/semver/v3, Helm's own: `v` may lead, minor and patch may be left out.
_VERSION = re.compile(
    r"v?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)
_TERM = re.compile(
    r"(?P<operator>!=|>=|=>|<=|=<|~>|[=<>~^])?"
    r"v?(?P<major>\d+|[xX*])(?:\.(?P<minor>\d+|[xX*]))?(?:\.(?P<patch>\d+|[xX*]))?"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_SPAN = re.compile(r"(\S+)\s+-\s+(\S+)")
_AFTER_OPERATOR = re.compile(r"([=<>~^])\s+")
_MIRRORED = {"": "=", "=>": ">=", "=<": "<=", "~>": "~"}


@functools.total_ordering
@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """One semantic version; build metadata takes no part in the order."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    build: str = dataclasses.field(default="", compare=False)

    def __lt__(self, other: Version) -> bool:
        return self._order < other._order

    def __str__(self) -> str:
        pre = f"-{self.prerelease}" if self.prerelease else ""
        build = f"+{self.build}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{pre}{build}"

    @property
    def _order(self) -> tuple[object, ...]:
        # A release follows its pre-releases; numeric parts sort before words (semver.org, item 11).
        parts = tuple(
            (0, int(part), "") if part.isdecimal() else (1, 0, part)
            for part in self.prerelease.split(".")
        )
        return (self.major, self.minor, self.patch, not self.prerelease, parts)


def parse_version(text: str) -> Version | None:
    """The version that `text` spells, or None when it spells none."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    major, minor, patch, pre, build = match.groups()
    return Version(int(major), int(minor or 0), int(patch or 0), pre or "", build or "")


@dataclasses.dataclass(frozen=True, slots=True)
class _Term:
    """One comparison: an operator and a version of which `parts` numbers were written."""

    operator: str
    version: Version
    parts: int

    def holds(self, version: Version) -> bool:
        base, ceiling = self.version, self._ceiling(self.parts)
        match self.operator:
            case "=":
                return version == base if self.parts == 3 else self._within(version, ceiling)
            case "!=":
                return version != base if self.parts == 3 else not self._within(version, ceiling)
            case ">":
                return version > base if self.parts == 3 else version >= ceiling
            case ">=":
                return version >= base
            case "<":
                return version < base
            case "<=":
                return version <= base if self.parts == 3 else version < ceiling
            case "~":
                return self._within(version, self._ceiling(min(self.parts, 2)))
            case _:
                return self._within(version, self._caret_ceiling())

    def _within(self, version: Version, ceiling: Version) -> bool:
        return self.version <= version < ceiling

    def _ceiling(self, parts: int) -> Version:
        """The first version past everything that shares the first `parts` numbers."""
        major, minor, patch = self.version.major, self.version.minor, self.version.patch
        match parts:
            case 0:
                return Version(2**63, 0, 0)
            case 1:
                return Version(major + 1, 0, 0, "0")
            case 2:
                return Version(major, minor + 1, 0, "0")
            case _:
                return Version(major, minor, patch + 1, "0")

    def _caret_ceiling(self) -> Version:
        """`^` holds the leftmost number that is not zero (or the last one written)."""
        numbers = (self.version.major, self.version.minor, self.version.patch)
        leading = next((i for i, n in enumerate(numbers[: self.parts]) if n), self.parts - 1)
        return self._ceiling(leading + 1)


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """A constraint such as `>= 1.30.0-0` or `^1.2 || ~2.1`."""

    text: str
    groups: tuple[tuple[_Term, ...], ...]

    def __contains__(self, version: Version) -> bool:
        return any(_group_holds(group, version) for group in self.groups)


def _group_holds(group: tuple[_Term, ...], version: Version) -> bool:
    # A pre-release counts only where the range itself names one: hence the `-0` people write.
    if version.prerelease and not any(term.version.prerelease for term in group):
        return False
    return all(term.holds(version) for term in group)


def parse_range(text: str) -> Range | None:
    """The range that `text` spells, or None when it is not one."""
    groups = []
    for alternative in text.split("||"):
        group = _group(alternative)
        if group is None:
            return None
        groups.append(group)
    return Range(text, tuple(groups))


def _group(text: str) -> tuple[_Term, ...] | None:
    spanned = _SPAN.sub(r">=\1 <=\2", text)
    words = _AFTER_OPERATOR.sub(r"\1", spanned).replace(",", " ").split()
    matches = [_TERM.fullmatch(word) for word in words]
    if not matches or not all(matches):
        return None
    return tuple(_term(match) for match in matches if match)


def _term(match: re.Match[str]) -> _Term:
    numbers: list[int] = []
    for name in ("major", "minor", "patch"):
        number = match[name]
        if number is None or not number.isdecimal():
            break
        numbers.append(int(number))
    parts = len(numbers)
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    operator = match["operator"] or ""
    version = Version(major, minor, patch, match["pre"] or "")
    return _Term(_MIRRORED.get(operator, operator), version, parts)
