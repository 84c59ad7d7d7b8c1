"""Whose word counts: of gen-env.yaml only `defaults` may come from the change under review."""

from __future__ import annotations

import dataclasses
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import definition
from generator.definition.definition import SETTINGS
from generator.impact.finding import Finding
from generator.pipeline import silenced
from generator.tree.catalogue import NO_SETTINGS, SYNTAX
from generator.yaml import edit, reader
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document

AFTER_MERGE = Rule(
    "settings/after-merge",
    Severity.INFO,
    "Settings that take effect after the merge",
    "A change is checked with the settings of its base.",
    command="diff",
)
DEFAULTS = Rule(
    "settings/defaults",
    Severity.ERROR,
    "Changed defaults beside other changed settings",
    "They cannot be checked separately.",
    command="service",
)

_OWN = "defaults"


@dataclasses.dataclass(frozen=True, slots=True)
class HeadSettings:
    """gen-env.yaml as the head is judged by, and what of the head's own was left out.

    `later` are the fields that take effect after the merge; `changed` says that the defaults
    differ. `exact` is true where `text` is the head's own file, so that its lines are right.
    """

    text: bytes
    later: tuple[str, ...] = ()
    changed: bool = False
    exact: bool = True
    problems: tuple[Problem, ...] = ()
    impact: tuple[Finding, ...] = ()
    """What the head's policy would let later changes do, which the base's does not."""


def compose(base: bytes, head: bytes | None) -> HeadSettings:
    """The base's settings with the head's `defaults`.

    `base` must be a file that parses. Whatever is wrong with the head's file is a problem, and
    the base's file then stands in for it.
    """
    if head is None:
        return HeadSettings(base, problems=(_removed(),))
    before = reader.read(base, SETTINGS)
    try:
        after = reader.read(head, SETTINGS)
        faults = definition.load_settings(head)[1]
    except YamlError as error:
        return HeadSettings(base, problems=(_syntax(error),))
    if not isinstance(after.data, dict):
        return HeadSettings(base, problems=faults)
    fields = _differing(before.data, after.data)
    changed = not _same(before.data, after.data, _OWN)
    notes = (*faults, *((after_merge(fields),) if fields else ()))
    if not fields:
        return HeadSettings(head, (), changed, problems=notes)
    impact = _loosened(base, head)
    return _spliced(before, after.data, HeadSettings(base, fields, changed, False, notes, impact))


def _loosened(base: bytes, head: bytes) -> tuple[Finding, ...]:
    old, new = (definition.load_settings(text)[0] for text in (base, head))
    if old is None or new is None:
        return ()
    return tuple(silenced.loosened(old.repository, new.repository))


def _spliced(before: Document, after: dict[str, Any], settings: HeadSettings) -> HeadSettings:
    """The base's text with the head's defaults in it, proved by reading it again."""
    if not settings.changed:
        return settings
    try:
        if _OWN in after:
            text = edit.set_value(before.text, (_OWN,), after[_OWN], file=SETTINGS)
        else:
            text = edit.remove(before.text, (_OWN,), file=SETTINGS)
        read = reader.read(text, SETTINGS).data
    except YamlError as error:
        return _refused(settings, error.message)
    if _differing(before.data, read) or not _same(after, read, _OWN):
        return _refused(settings, "they cannot be merged into the base's file")
    return dataclasses.replace(settings, text=text.encode())


def _differing(before: Any, after: Any) -> tuple[str, ...]:
    """Top-level fields other than `defaults` that are not alike on both sides."""
    fields = {*before, *after} - {_OWN}
    return tuple(sorted(field for field in fields if not _same(before, after, field)))


def _same(before: dict[str, Any], after: dict[str, Any], field: str) -> bool:
    if (field in before) != (field in after):
        return False
    return edit.alike(before.get(field), after.get(field))


def _removed() -> Problem:
    return NO_SETTINGS.problem(
        f"this change removes {SETTINGS}: after the merge no cluster is defined",
        path=SETTINGS,
        hint="restore the file",
    )


def _syntax(error: YamlError) -> Problem:
    return SYNTAX.problem(error.message, path=SETTINGS, line=error.line, hint=error.hint)


def after_merge(fields: tuple[str, ...]) -> Problem:
    return AFTER_MERGE.problem(
        f"{', '.join(fields)} in {SETTINGS} take effect after the merge: this change is checked "
        f"with the settings of its base",
        path=SETTINGS,
        hint="merge the settings first and regenerate the trees in a second pull request",
    )


def _refused(settings: HeadSettings, reason: str) -> HeadSettings:
    problem = DEFAULTS.problem(
        f"the changed defaults cannot be checked together with the other changed settings: "
        f"{reason}",
        path=SETTINGS,
        hint="change the defaults in a pull request of their own",
    )
    return dataclasses.replace(settings, problems=(*settings.problems, problem))
