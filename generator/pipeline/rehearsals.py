"""Whether the rehearsal in an environment's folder is one of the migration that a change brings."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from generator.airflow import managers, migrations, releases
from generator.airflow.image_release import Runs
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition import rehearsal_file
from generator.definition.definition import ROOT, Settings
from generator.definition.rehearsal_file import Rehearsal, Side
from generator.impact.migration import Class, classify
from generator.model.base import seconds_of
from generator.pipeline import side

_HOUR = 3600.0
_STILL = frozenset({Class.NONE, Class.STAYS})


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What a change's rehearsal says; `fault` is why it does not count, '' where it does."""

    line: str
    fault: str = ""


def standing(
    files: Files, name: str, old: Runs, new: Runs, max_age: str | None, now: datetime
) -> Standing | None:
    """The rehearsal of a change of images; None where it does not move the schema up.

    Without `max_age` any age counts.
    """
    result = classify(old, new)
    falls = result.kind is Class.BACKWARD or result.falls
    if result.kind in _STILL or (falls and not _rises(old, new)):
        return None
    path = f"{ROOT}/{name}/{rehearsal_file.FILE_NAME}"
    move = f"Airflow {old.airflow or 'unknown'} → {new.airflow or 'unknown'}"
    content = files.read(path)
    if content is None:
        return Standing("", f"no rehearsal of {move}: {_remedy(name, old, new)}")
    try:
        found = rehearsal_file.read(content, path)
    except UserError as error:
        return Standing("", f"{path}: {error.message}")
    age = now.timestamp() - found.at
    fault = _other(found, name, old, new) or _bad(found) or _age(age, max_age)
    line = f"rehearsed {_days(age)} ago: {found.line}{_unknown(new)}"
    return Standing(f"{line}; not read: see {path}" if found.not_read else line, fault)


def _rises(old: Runs, new: Runs) -> bool:
    """Whether a newer Airflow moves a chain up, beside one that moves down."""
    way = migrations.between(old.content, new.content)
    if way is None or (releases.parse(new.airflow) or ()) <= (releases.parse(old.airflow) or ()):
        return False
    return any(step.command == migrations.UP for step in way.there)


def _remedy(name: str, old: Runs, new: Runs) -> str:
    if not new.airflow:
        return "image.facts or a tag has to tell the release of the new image first"
    if new.airflow == old.airflow:
        return (
            f"gen-env rehearse {name} --airflow {new.airflow} --dump FILE --python FILE, with an "
            "interpreter that has the providers of the new image"
        )
    return f"gen-env rehearse {name} --airflow {new.airflow}"


def _other(found: Rehearsal, name: str, old: Runs, new: Runs) -> str:
    if found.environment != name:
        return f"the rehearsal is of {found.environment}"
    sides = ((found.start, old, "from"), (found.end, new, "to"))
    for end, runs, word in sides:
        if end.airflow != runs.airflow:
            return f"the rehearsal is {word} Airflow {end.airflow}, not {runs.airflow or 'unknown'}"
    return _providers(found.start, old, "from ") or _providers(found.end, new)


def _providers(end: Side, runs: Runs, word: str = "with ") -> str:
    """Those whose migrations Airflow runs; nothing where the image's are not known."""
    if runs.providers is None:
        return ""
    for name in sorted(releases.data("migrations")["providers"]):
        number, known = end.providers.get(name), runs.providers.get(name)
        if known and number and known != number:
            return f"it was rehearsed {word}provider {name} {number}, the image has {known}"
        if known and not number and word == "with " and _migrates(name, known, runs):
            return f"it was rehearsed without provider {name}, the image has {known}"
    return ""


def _migrates(name: str, number: str, runs: Runs) -> bool:
    return managers.answer(name, number, runs.airflow, runs.options).runs


def _unknown(runs: Runs) -> str:
    unknown = "" if runs.providers is not None else "; not compared: the providers of the image"
    return unknown + (f"; assumed: {runs.assumed}" if runs.assumed else "")


def _bad(found: Rehearsal) -> str:
    return f"the rehearsed migration failed: {found.failed}" if found.outcome == "failed" else ""


def _age(age: float, max_age: str | None) -> str:
    if age < -_HOUR:
        return "the rehearsal is of the future: a clock was wrong"
    if max_age is not None and age > seconds_of(max_age):
        return f"the rehearsal is {_days(age)} old, {max_age} are allowed"
    return ""


def _days(age: float) -> str:
    return counted(round(max(age, 0.0) / (24 * _HOUR)), "day")


def of_change(
    before: Files, after: Files, name: str, settings: Settings, max_age: str | None, now: datetime
) -> Standing | None:
    """The same for two states of a repository. Raises UserError for a tree that cannot be read."""
    old, new = (_runs(files, name, settings) for files in (before, after))
    return standing(after, name, old, new, max_age, now)


def _runs(files: Files, name: str, settings: Settings) -> Runs:
    item = side.inputs(files, name, settings)
    return side.runs(item) if item is not None else Runs()
