"""What policy wants before an upgrade: a rehearsal of its migration, a backup, a restore drill."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from generator.actions.upgrades import versions
from generator.actions.upgrades.change import Options
from generator.core.files import Files, Overlay
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import rehearsal_file
from generator.definition.definition import Definition, Settings
from generator.pipeline import drills, rehearsals
from generator.pipeline.generate import Built

MISSING = Rule(
    "upgrade/rehearsal",
    Severity.ERROR,
    "A migration that policy wants rehearsed, without a rehearsal that counts",
    "How long it locks tables, and whether the way back works, only a run on the data tells.",
    command="upgrade",
)

BACKUP = Rule(
    "upgrade/backup",
    Severity.ERROR,
    "A backup or restore drill that policy wants, which failed, is too old or was not read",
    "An upgrade that goes wrong can only go back to a backup that restores.",
    command="upgrade",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Rehearsed:
    """The file to write, what to say, and what forbids the upgrade."""

    files: dict[str, str]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def of(
    files: Files,
    settings: Settings | None,
    item: Definition,
    before: Built | None,
    options: Options,
) -> Rehearsed:
    """The rehearsal that is given, or is in the environment's folder."""
    path = f"{item.folder}/{rehearsal_file.FILE_NAME}"
    given = {path: options.rehearsal.text()} if options.rehearsal else {}
    pair = versions.images(before, options)
    if pair is None or before is None or before.resolved is None or settings is None:
        return Rehearsed(given)
    tier = settings.repository.policy.tiers.get(before.resolved.environment.metadata.tier)
    ahead = Overlay(files, {name: text.encode() for name, text in given.items()})
    max_age = tier.rehearsal if tier else None
    found = rehearsals.standing(ahead, item.name, *pair, max_age, datetime.now(UTC))
    if found is None:
        return Rehearsed(given)
    if not found.fault:
        return Rehearsed(given, (found.line,))
    if max_age is None and not given:
        return Rehearsed(given, (found.fault,))
    problem = before.resolved.problem(MISSING, found.fault, "airflow", "version")
    return Rehearsed(given, (), (problem,))


def kept(settings: Settings | None, before: Built | None, options: Options) -> Rehearsed:
    """What the environment's cluster says of its last backup and drill, where versions move."""
    moves = options.airflow or options.chart
    if settings is None or before is None or before.resolved is None or not moves:
        return Rehearsed({})
    tier = settings.repository.policy.tiers.get(before.resolved.environment.metadata.tier)
    found = drills.standings(before, tier, drills.by_context(settings), datetime.now(UTC))
    problems = tuple(
        before.resolved.problem(BACKUP, f"{gate}: {item.fault}", "backup")
        for gate, item in found.items()
        if item.fault
    )
    lines = tuple(item.line for item in found.values() if not item.fault)
    return Rehearsed({}, lines, problems)
