"""An environment generated anew from edited files: what a commit then holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from generator.core.basis import NOTHING, Basis, NotRead
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import Problem, has_errors
from generator.definition.definition import ROOT
from generator.pipeline import generate, judged
from generator.pipeline.generate import Built, Charts
from generator.render.request import Renderer
from generator.tree.plan import Plan


@dataclasses.dataclass(frozen=True)
class Regenerated:
    """The files afterwards, which of them differ from before, and the findings."""

    files: Snapshot
    changes: Mapping[str, bytes | None]
    """Content by path, None for a file that goes."""
    problems: tuple[Problem, ...]
    built: Built | None

    def basis(self, policy: str, not_read: Iterable[NotRead] = ()) -> Basis:
        """By which versions, and whose policy, the files were made; what was not read for them."""
        if self.built is None:
            return NOTHING.without([NotRead("definition", reason="it cannot be read"), *not_read])
        return judged.basis(self.built, policy, not_read)

    def require(self) -> None:
        """Raise UserError when the environment cannot be generated."""
        if has_errors(self.problems):
            first = next(item for item in self.problems if has_errors([item]))
            raise UserError.of(first)


def regenerate(
    before: Snapshot, edited: Snapshot, name: str, charts: Charts, renderer: Renderer | None
) -> Regenerated:
    """Generate one environment from `edited`, and compare with the files as they were `before`.

    Files of the repository as a whole (projects) change only as far as the edit changes them: that
    they were out of date already is another change.
    """
    after = generate.generate(edited, [name], charts, renderer)
    stale = generate.generate(before, [name], charts, renderer)
    whole = _without(after.plan_of(""), stale.plan_of(""))
    plan = after.plan_of(name) | whole
    contents = {**edited.contents, **{path: text.encode() for path, text in plan.writes.items()}}
    for path in plan.removals:
        contents.pop(path, None)
    files = dataclasses.replace(edited, contents=contents)
    built = after.built.get(name)
    return Regenerated(files, difference(before, files), after.problems_of(name), built)


def _without(plan: Plan, known: Plan) -> Plan:
    """What a plan does and the known one does not."""
    writes = {path: text for path, text in plan.writes.items() if known.writes.get(path) != text}
    return Plan(writes, tuple(path for path in plan.removals if path not in known.removals))


def difference(before: Snapshot, after: Snapshot) -> dict[str, bytes | None]:
    """What differs, by path."""
    paths = sorted({*before.contents, *after.contents})
    return {
        path: after.contents.get(path)
        for path in paths
        if before.contents.get(path) != after.contents.get(path)
    }


def folder_of(name: str) -> str:
    """An environment's folder with a slash at its end."""
    return f"{ROOT}/{name}/"


def replaced(files: Snapshot, contents: Mapping[str, bytes | None]) -> Snapshot:
    """The files with these contents instead; None removes one."""
    merged = {**files.contents, **{k: v for k, v in contents.items() if v is not None}}
    gone = {path for path, content in contents.items() if content is None}
    held = {path: content for path, content in merged.items() if path not in gone}
    return dataclasses.replace(files, contents=held)
