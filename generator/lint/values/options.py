"""Checks of Airflow's options: moved, removed and unknown ones, under `config` and as variables."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator

from generator.airflow import facts, releases
from generator.airflow.facts import Answer, Fate
from generator.core.layered import Path
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import INFO, WARNING, Finding, check
from generator.lint.values.config import options, wanted_of_variable

# A name with three underscores is that of a team's option (`AIRFLOW__TEAM___CORE__…`).
_VARIABLE = re.compile(r"AIRFLOW__((?:[A-Z0-9]|_(?!_))+)__((?!_)[A-Z0-9_]+)")
_COMPONENTS = ((), ("celery",), ("kubernetes",))
_SOURCE = (
    "the newest patch of Airflow 2.5 to 3.3: config.yml, configuration, `airflow config lint`; "
    "providers: get_provider_info"
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Given:
    """An option as the values give it: where, how it is written there, and which it is."""

    path: Path
    section: str
    name: str
    variable: bool

    def __str__(self) -> str:
        if self.variable:
            return _variable(self.section, self.name)
        return f"[{self.section}] {self.name}"

    def as_this(self, option: facts.Option) -> str:
        """Another option in the same writing."""
        return _variable(*option) if self.variable else ".".join(("config", *option))


def _variable(section: str, name: str) -> str:
    return f"AIRFLOW__{section.replace('.', '_')}__{name}".upper()


def _given(values: ValuesInput) -> Iterator[_Given]:
    """Every option that is set, under `config` and among named variables."""
    for path, _ in options(values.user):
        section, name = (str(part) for part in path[1:])
        if values.decided(path) and not any(map(wanted_of_variable, (section, name))):
            yield _Given(path, section.lower(), name.lower(), variable=False)
    for path, text in (*values.environment(), *_of_components(values)):
        match = _VARIABLE.fullmatch(text)
        if match:
            section = facts.section_of_variable(match[1])
            yield _Given(path, section, match[2].lower(), variable=True)


def _of_components(values: ValuesInput) -> Iterator[tuple[Path, str]]:
    for component in sorted(values.merged):
        for inner in _COMPONENTS:
            table = (component, *inner)
            path = (*table, "env")
            for index, row in enumerate(values.rows(path) if values.table(table) else ()):
                yield (*path, index), str(row.get("name") or "")


def _answers(values: ValuesInput) -> Iterator[tuple[_Given, Answer, str]]:
    """The answer for each option, and the Airflow versions that it holds for.

    Where Airflow's version is not known, only what holds for every version that the chart renders;
    where tag and `airflowVersion` name different ones, only what holds for both.
    """
    versions = _versions(values)
    for given in _given(values):
        answers = [facts.unknown(given.section, given.name, version) for version in versions]
        first = answers[0] if answers else None
        if first is not None and all(_same(first, other) for other in answers):
            yield given, first, _named(values, versions)


def _versions(values: ValuesInput) -> tuple[str, ...]:
    if values.airflow is None:
        return facts.lines_since(values.chart.airflow_floor or ())
    named = {values.airflow, releases.parse(values.runs.airflow) or values.airflow}
    return tuple(map(releases.dotted, sorted(named)))


def _same(first: Answer, other: Answer | None) -> bool:
    return other is not None and (first.fate, first.new) == (other.fate, other.new)


def _named(values: ValuesInput, versions: tuple[str, ...]) -> str:
    if len(versions) > 1:
        between = "and" if values.airflow else "to"
        return f"Airflow {versions[0]} {between} {versions[-1]}"
    line = facts.line_of(versions[0])
    judged = f" (judged by {line.release}, the newest known)" if line and line.assumed else ""
    return f"Airflow {versions[0]}{judged}"


@check(
    "config/moved",
    WARNING,
    "An option under its old name",
    why="Airflow still reads some options under their old name, with a warning in every log, and "
    "others not at all; the chart itself looks at the new names only.",
    source=_SOURCE,
)
def moved(values: ValuesInput) -> Iterator[Finding]:
    """Options that the environment's Airflow knows under another name."""
    for given, answer, airflow in _answers(values):
        if answer.new is None:
            continue
        section, name = answer.new
        if answer.fate is not Fate.MOVED:
            message = f"{given} has no effect: {airflow} reads [{section}] {name} instead"
        elif _is_set(values, answer.new, variable=given.variable):
            message = f"{given} has no effect: [{section}] {name} is set too, and read first"
        else:
            message = f"{given} is an old name, which {airflow} still reads, with a warning"
        yield Finding(given.path, message, f"move it to {given.as_this(answer.new)}")


def _is_set(values: ValuesInput, option: facts.Option, *, variable: bool) -> bool:
    """Whether the new name is given where Airflow looks before it looks for the old one."""
    newer = _variable(*option)
    if values.sets_variable(newer) or values.on(("enableBuiltInSecretEnvVars", newer)):
        return True
    return not variable and values.get(("config", *option)) is not None


@check(
    "config/removed",
    WARNING,
    "An option that Airflow has removed",
    why="Airflow ignores what it does not know; what the option did no longer happens.",
    source=_SOURCE,
)
def removed(values: ValuesInput) -> Iterator[Finding]:
    """Options that an Airflow before the environment's had."""
    for given, answer, airflow in _answers(values):
        if answer.fate is Fate.REMOVED:
            last = f" (Airflow {answer.lines[-1]} did)" if answer.lines else ""
            yield Finding(
                given.path,
                f"{given} has no effect: {airflow} does not read it{last}",
                _hint(given, answer, "remove it"),
            )


@check(
    "config/unknown-option",
    WARNING,
    "An option that Airflow does not know",
    why="Airflow reads options by name and ignores all others, so that a misspelt one changes "
    "nothing.",
    source=_SOURCE,
    also=((INFO, "the section is unknown, and its options are not judged"),),
)
def unknown_option(values: ValuesInput) -> Iterator[Finding]:
    """Options that no version has, or only a later one; unknown sections are named."""
    sections: set[str] = set()
    for given, answer, airflow in _answers(values):
        if answer.fate is Fate.UNKNOWN:
            yield Finding(
                given.path,
                f"{given} has no effect: no known release of Airflow or its providers has it",
                _hint(given, answer, "check the spelling, or remove it"),
            )
        elif answer.fate is Fate.LATER:
            yield Finding(
                given.path,
                f"{given} has no effect on {airflow}: it came with Airflow {answer.lines[0]}",
                f"upgrade to Airflow {answer.lines[0]} or later, or remove it",
            )
        elif answer.fate is Fate.FOREIGN and given.section not in sections:
            sections.add(given.section)
            yield Finding(
                given.path,
                f"not judged: [{given.section}] is a section of neither Airflow nor a provider "
                "known here",
                "check the spelling of the section, or leave it if your own code reads it",
                INFO,
            )


@check(
    "config/variable-name",
    WARNING,
    "A variable whose name Airflow does not read",
    why="Airflow reads options from AIRFLOW__SECTION__OPTION, in upper case with two underscores "
    "each, and ignores what is spelt otherwise.",
    source=_SOURCE,
)
def variable_name(values: ValuesInput) -> Iterator[Finding]:
    """`AIRFLOW_CORE__PARALLELISM`, unless another value uses the variable."""
    for path, name in (*values.environment(), *_of_components(values)):
        option = facts.misspelt_variable(name)
        if option is None or _is_used(values, name):
            continue
        yield Finding(
            path,
            f"{name} has no effect on Airflow, which does not read a variable of this name",
            _right_name(values, option),
        )


def _right_name(values: ValuesInput, option: facts.Option) -> str:
    """The variable for the option, if the Airflow of the environment reads it."""
    answers = [facts.unknown(*option, version) for version in _versions(values)]
    new = {item.new if item else option for item in answers} or {option}
    if len(new) == 1 and (name := new.pop()) is not None:
        return f"did you mean {_variable(*name)}?"
    return "remove it, or write a variable as AIRFLOW__SECTION__OPTION"


def _is_used(values: ValuesInput, name: str) -> bool:
    """Whether a text among the values speaks of a variable, beside where it is given."""
    text = json.dumps(values.user, default=str)
    given = re.sub(rf"""["']?(?:envN|n)ame["']?: *\\?["']?{name}\b""", "", text)
    return re.search(rf"\b{name}\b", given) is not None


def _hint(given: _Given, answer: Answer, otherwise: str) -> str:
    if not answer.suggestions:
        return otherwise
    names = " or ".join(given.as_this(option) for option in answer.suggestions)
    return f"did you mean {names}?"
