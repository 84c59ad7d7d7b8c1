"""`gen-env upgrade` as steps: edit the definition, regenerate, say what to mind, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from generator.actions.upgrades import dags, defaults, rehearsed, versions
from generator.actions.upgrades.change import Options
from generator.actions.upgrades.proof import Proof, prove
from generator.core.files import Overlay, WorkTree
from generator.core.parallel import mapped
from generator.core.problem import Problem, has_errors
from generator.definition import lock_file
from generator.definition.definition import Definition
from generator.pipeline import generate, review
from generator.pipeline.generate import Built, Charts
from generator.release.expressed import AIRFLOW
from generator.render.request import Renderer
from generator.tree import catalogue
from generator.tree.plan import Plan
from generator.yaml.errors import YamlError


@dataclasses.dataclass(frozen=True)
class Upgrade:
    """One environment's upgrade: the plan, findings, what to mind, and the steps in order."""

    name: str
    moves: tuple[str, ...]
    plan: Plan
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    steps: tuple[str, ...]
    route: tuple[str, ...] = ()
    """The commands, one at a time, where one step cannot be or is not the safest."""
    proof: Proof | None = None
    """What changes in the cluster and what does not; None where that was not looked at."""

    @property
    def possible(self) -> bool:
        """Whether the tree can be generated for what is asked."""
        return not has_errors(self.problems)


def prepare(
    root: Path, names: Sequence[str], options: Options, charts: Charts, renderer: Renderer | None
) -> list[Upgrade]:
    """What the upgrade of these environments will write; nothing is written yet.

    Raises UserError for unknown environments, versions that are not versions, and options that
    ask for nothing or do not go together.
    """
    options.require()
    files = WorkTree(root)
    found = catalogue.load(files)

    def one(item: Definition) -> Upgrade:
        return _one(files, found, item, options, charts, renderer)

    return list(mapped(one, found.chosen(names)))


def _one(
    files: WorkTree,
    found: catalogue.Catalogue,
    item: Definition,
    options: Options,
    charts: Charts,
    renderer: Renderer | None,
) -> Upgrade:
    before = generate.build(files, found.settings, item, charts) if found.settings else None
    if options.dags:
        change = dags.change(before, item)
    else:
        change = versions.change(before, item, options, charts)
    lock, text, notes = _unlocked(files, item, options), change.text, change.notes
    ahead = Overlay(files, {item.path: text.encode(), **lock})
    generation = generate.generate(ahead, [item.name], charts, renderer)
    after = generation.built.get(item.name)
    if renderer is not None and not change.problems:
        old = defaults.changed(item, after, options, charts, renderer)
        notes = (*notes, *old.notes)
        if old.kept:
            text = old.written(text, item.path)
            ahead = Overlay(files, {item.path: text.encode(), **lock})
            generation = generate.generate(ahead, [item.name], charts, renderer)
            after = generation.built.get(item.name)
    rehearsal = rehearsed.of(files, found.settings, item, before, options)
    kept = rehearsed.kept(found.settings, before, options)
    notes = (*notes, *rehearsal.notes, *kept.notes)
    own = Plan(rehearsal.files) | Plan({item.path: text} if text != item.document.text else {})
    problems = (*generation.problems_of(item.name), *rehearsal.problems, *kept.problems)
    if not any(problem.rule == AIRFLOW.id for problem in problems):
        problems = (*problems, *change.problems)
    if options.dags:
        notes = (*notes, *dags.network(before, after))
    proof = None
    if renderer is not None and not has_errors(problems):
        plan = generation.plan_of(item.name)
        new = {path: content.encode() for path, content in plan.writes.items()}
        head = Overlay(ahead, new, frozenset(plan.removals))
        proof = prove(item.name, files, head, found.settings, after, charts, renderer)
        if proof is not None and not proof.difference.rendered:
            reasons = _failure(after, charts, renderer)
            problems = (*problems, *reasons)
            # Of another archive of the same version, which is asked for, the locked one is gone.
            relocked = bool(lock) and proof.difference.basis.complete
            if not has_errors(reasons) and not relocked:
                problems = (*problems, *review.unseen(proof.report))
    return Upgrade(
        item.name,
        change.moves,
        own | generation.plan_of(item.name),
        problems,
        notes,
        change.steps,
        change.route,
        proof,
    )


def _failure(after: Built | None, charts: Charts, renderer: Renderer) -> tuple[Problem, ...]:
    """Why the new tree does not render; nothing where the chart is not at hand to try."""
    problems: list[Problem] = []
    if after is not None and after.release is not None:
        generate.render_release(after, charts, renderer, problems)
    return tuple(problem for problem in problems if problem.rule != generate.ARCHIVE.id)


def _unlocked(files: WorkTree, item: Definition, options: Options) -> dict[str, bytes]:
    """The lock without the digest of the requested chart: the archive at hand sets a new one."""
    try:
        lock = catalogue.lock(files, item)
    except YamlError:
        return {}
    if lock is None or options.chart is None or lock.chart_version != options.chart:
        return {}
    open_lock = dataclasses.replace(lock, chart_digest=None)
    return {f"{item.folder}/{lock_file.FILE_NAME}": open_lock.text().encode()}
