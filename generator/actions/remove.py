"""`gen-env remove` as steps: what leaves git, what the cluster keeps, and how that ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.actions.lifecycle import remove_steps
from generator.core.basis import NotRead
from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.problem import Problem
from generator.definition import location
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS, Settings, name_faults
from generator.engine import flux_reach
from generator.git.worktree import Worktree
from generator.pipeline import generate
from generator.pipeline.generate import Charts
from generator.render.request import Renderer
from generator.tree import catalogue, objects, tree, writer
from generator.tree.catalogue import Catalogue
from generator.tree.plan import Plan

NOT_READ = (
    NotRead("the cluster", reason="what runs there is not asked for; the steps say how to look"),
    NotRead("the forge", reason="open pull requests for this environment are not looked for"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Removal:
    """What leaves git, what happens to data, and the steps of a person, in order."""

    name: str
    engine: str
    plan: Plan
    data: tuple[remove_steps.Data, ...]
    steps: tuple[str, ...]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        return {
            "environment": self.name,
            "engine": self.engine,
            "removed": list(self.plan.removals),
            "written": sorted(self.plan.writes),
            "data": [item.as_json() for item in self.data],
            "steps": list(self.steps),
            "problems": [item.as_json() for item in self.problems],
            "notRead": [item.as_json() for item in NOT_READ],
        }


def prepare(root: Path, name: str, charts: Charts, renderer: Renderer | None) -> Removal:
    """Everything that `remove` takes out of git; nothing is written yet.

    Raises UserError for an environment that is not there, and while a promotion path names it.
    """
    files = WorkTree(root)
    found = catalogue.load(files)
    settings = _settings(root, found)
    _require(found, name, files)
    if faults := list(_dependents(settings, name)):
        raise UserError(
            f"{name} is part of {' and '.join(text for text, _ in faults)}",
            path=SETTINGS,
            line=faults[0][1],
            hint="take it out of there, in a change of its own or in this one, and run it again",
        )
    removals = sorted({*files.below(f"{ROOT}/{name}"), *_elsewhere(files, settings, name)})
    ahead = Overlay(files, {}, frozenset(removals))
    generation = generate.generate(ahead, (), charts, renderer)
    rest = generation.plan_of("")
    plan = Plan(rest.writes, tuple(sorted({*removals, *rest.removals})))
    before = remove_steps.read(files, found, name)
    # Of others only what this removal is about: what they share, such as a managed project.
    problems = tuple(item for item in generation.problems if not item.environment)
    return Removal(name, before.engine, plan, before.data, tuple(before.steps()), problems)


def commit(root: Path, removal: Removal, branch: str) -> str:
    """Carry it out on a new branch and commit exactly that; everything or nothing.

    Raises UserError where one of the files has changes that git does not have yet: they would be
    lost. Returns the commit.
    """
    work_tree = Worktree.find(root)
    prefix = root.resolve().relative_to(work_tree.root.resolve()).as_posix()
    inside = [path if prefix == "." else f"{prefix}/{path}" for path in removal.plan.paths]
    if dirty := work_tree.changed(inside):
        raise UserError(
            f"uncommitted changes in {', '.join(dirty)}", hint="commit them or move them away first"
        )
    with work_tree.new_branch(branch), writer.reversible(root, removal.plan):
        return work_tree.commit_only(inside, f"Remove environment {removal.name}")


def _settings(root: Path, found: Catalogue) -> Settings:
    if found.settings is None:
        raise UserError.of(found.problems[0])
    for problem in location.problems(root, found.settings):
        raise UserError.of(problem)
    return found.settings


def _require(found: Catalogue, name: str, files: Files) -> None:
    """That there is such an environment, of which the definition alone need not be valid."""
    if list(name_faults(name)) or files.read(f"{ROOT}/{name}/{FILE_NAME}") is None:
        found.chosen([name])
    links = list(files.links(f"{ROOT}/{name}"))
    if links:
        raise UserError("a symbolic link is not followed", path=links[0], hint="remove it first")


def _dependents(settings: Settings, name: str) -> Iterator[tuple[str, int | None]]:
    """Each promotion path that names it, with its line in gen-env.yaml."""
    for path, members in settings.repository.promotion.paths.items():
        if name in members:
            line = settings.document.line(("promotion", "paths", path))
            yield f"the promotion path {path} ({' → '.join(members)})", line


def _elsewhere(files: Files, settings: Settings, name: str) -> Iterator[str]:
    """What gen-env wrote for it outside of its folder."""
    places = (objects.access_path(name), *flux_reach.cluster_files(settings.repository, name))
    for path in places:
        content = files.read(path)
        if content is not None and tree.is_ours(content):
            yield path
