"""Findings of a change told from those that were there before it."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator

from generator.core.basis import NOTHING
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity, State, ordered
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS
from generator.render.helm_notes import WARNED
from generator.report.model import EnvironmentDiff, Report, untouched
from generator.tree.foreign import FOREIGN

_MOST_LINES = 5_000
_SEVERITIES = list(Severity)

_Identity = tuple[str, str, str, str, str]
_LINE = re.compile(r"(?<=\.yaml|\.json):\d+|(?<=\.yml):\d+")
"""The line of a place that a message names: lines above it may come and go."""


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Both sides, and every path that differs between them."""

    base: Files
    head: Files
    paths: frozenset[str]
    _lines_of: dict[str, set[int]] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def touches(self, problem: Problem, item: EnvironmentDiff | None) -> bool:
        """Whether the change concerns the object, the field or else the file of a finding.

        What is wrong with the tree itself, such as a file out of date, is concerned by any change
        of its environment; so is a finding without a place. A file of nobody's is by any change at
        all. Where objects were not compared, each may differ.
        """
        if problem.rule == FOREIGN.id:
            return True  # the cluster gets it, whoever brought it
        if problem.rule.startswith("tree/") or not problem.path:
            return any(self._near(problem.environment))
        if problem.rule == WARNED.id:
            return False
        if problem.about:
            return item is None or not item.rendered or problem.about in _objects(item)
        if problem.path not in self.paths:
            return False
        by_field = problem.path == SETTINGS or problem.path.endswith(f"/{FILE_NAME}")
        if problem.line is None or not by_field:
            return True
        return not self._changed_lines(problem.path).isdisjoint(
            _block(_lines(self.head, problem.path), problem.line)
        )

    def _near(self, environment: str) -> Iterator[bool]:
        folder = f"{ROOT}/{environment}/"
        for path in self.paths:
            yield not environment or path == SETTINGS or path.startswith(folder)

    def _changed_lines(self, path: str) -> set[int]:
        """Lines of the head that the base has not; what is removed marks the line before it."""
        if path not in self._lines_of:
            self._lines_of[path] = self._compared_lines(path)
        return self._lines_of[path]

    def _compared_lines(self, path: str) -> set[int]:
        before, after = _lines(self.base, path), _lines(self.head, path)
        if max(len(before), len(after)) > _MOST_LINES:
            return set(range(1, len(after) + 1))
        found: set[int] = set()
        for tag, _, _, start, end in difflib.SequenceMatcher(None, before, after).get_opcodes():
            if tag != "equal":
                found |= set(range(start + 1, end + 1)) or {start}
        return found


def _objects(item: EnvironmentDiff) -> set[str]:
    keys = [key for change in item.changes for key in (change.key, change.old_key) if key]
    return set(map(str, keys))


def _lines(files: Files, path: str) -> list[str]:
    try:
        return (files.read(path) or b"").decode("utf-8", "replace").splitlines()
    except UserError:
        return []


def _block(lines: list[str], line: int) -> range:
    """The lines of a field: its own, and those below it that stand deeper."""
    end = line
    for text in lines[line:]:
        if text.strip() and _depth(text) <= _depth(lines[line - 1]):
            break
        end += 1
    return range(line, end + 1)


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())


def joined(report: Report, names: Iterable[str], problems: Iterable[Problem]) -> Report:
    """The report with further findings, each at its environment; `names` are those looked at."""
    found = list(problems)
    known = {item.name: item for item in report.environments}
    same = {item.name: item for item in report.untouched}
    for name in names:
        known.setdefault(name, same.pop(name, untouched(name, NOTHING)))
    environments = [
        dataclasses.replace(
            item, problems=_once((*item.problems, *(p for p in found if p.environment == name)))
        )
        for name, item in sorted(known.items())
    ]
    rest = [problem for problem in found if problem.environment not in known]
    return dataclasses.replace(
        report,
        environments=tuple(environments),
        untouched=tuple(same.values()),
        problems=_once((*report.problems, *rest)),
    )


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Of the same finding with two severities, the graver one."""
    gravest: dict[tuple[_Identity, int | None], Problem] = {}
    for problem in ordered(problems):
        gravest.setdefault((identity(problem), problem.line), problem)
    return ordered(gravest.values())


def marked(report: Report, before: Iterable[Problem], change: Change) -> Report:
    """The report with the state of every finding, and with those of the base that are gone.

    `before` are all findings of the base. They are the same by rule, environment, file, object and
    words, which name the field. Where the head was not looked at, nothing is said to be gone.
    """
    waiting: dict[_Identity, list[Problem]] = collections.defaultdict(list)
    for problem in ordered(before):
        waiting[identity(problem)].append(problem)
    counts = collections.Counter(map(identity, report.every_problem))
    news = {key for key, count in counts.items() if count > len(waiting[key])}

    def state(problem: Problem, item: EnvironmentDiff | None) -> Problem:
        key = identity(problem)
        worse = all(_graver(problem, other) for other in waiting[key])
        known = State.NEW if key in news or worse else State.OLD
        return dataclasses.replace(
            problem, state=known, touched=known is State.NEW or change.touches(problem, item)
        )

    gone = [
        dataclasses.replace(problem, state=State.GONE)
        for key, items in waiting.items()
        for problem in items[counts[key] :]
    ]
    environments = []
    for item in report.environments:
        mine = [problem for problem in gone if problem.environment == item.name and item.rendered]
        problems = ordered((*(state(problem, item) for problem in item.problems), *mine))
        environments.append(dataclasses.replace(item, problems=problems))
    names = {item.name for item in report.environments}
    others = [] if report.not_compared else [p for p in gone if p.environment not in names]
    rest = ordered((*(state(problem, None) for problem in report.problems), *others))
    return dataclasses.replace(report, environments=tuple(environments), problems=rest)


def _graver(problem: Problem, other: Problem) -> bool:
    return _SEVERITIES.index(problem.severity) < _SEVERITIES.index(other.severity)


def identity(problem: Problem) -> _Identity:
    """What makes two findings the same, wherever their lines have moved to."""
    message = _LINE.sub("", problem.message)
    return (problem.rule, problem.environment, problem.path, problem.about, message)
