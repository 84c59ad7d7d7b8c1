"""What an upgrade changes in the cluster, and what stays the same, object by object."""

from __future__ import annotations

import dataclasses

from generator.core.counted import counted
from generator.core.files import Files
from generator.definition.definition import Settings
from generator.kube.resource import key_of
from generator.pipeline import side
from generator.pipeline.generate import Built, Charts
from generator.render.request import Renderer
from generator.report.assemble import environment_diff
from generator.report.model import EnvironmentDiff, Report


@dataclasses.dataclass(frozen=True)
class Proof:
    """The rendered difference, and the objects that are the same on both sides."""

    difference: EnvironmentDiff
    same: tuple[str, ...]

    @property
    def report(self) -> Report:
        """The difference as a report of its own."""
        return Report("the tree as it is", "with this upgrade", (self.difference,))

    @property
    def summary(self) -> str:
        """In a line: how many objects stay, change, come and go, or why nothing is known."""
        if not self.difference.rendered:
            return f"not compared object by object: {self.difference.reason}"
        counts = [f"{number} {action.value}" for action, number in self.difference.actions.items()]
        but = {item.field for item in self.difference.folded}
        noise = f" (but for {', '.join(sorted(but))})" if but else ""
        return f"{counted(len(self.same), 'object')} as before{noise}, {', '.join(counts)}"


def prove(
    name: str,
    before: Files,
    after: Files,
    settings: Settings | None,
    built: Built | None,
    charts: Charts,
    renderer: Renderer,
) -> Proof | None:
    """Render both sides and compare them; all is added where an environment has no tree yet.

    None where it gets none either.
    """
    old = side.inputs(before, name, settings, charts=charts)
    new = side.inputs(after, name, settings, built, charts)
    if new is None:
        return None
    base = side.render("the tree as it is", old, charts, renderer) if old else None
    head = side.render("with this upgrade", new, charts, renderer)
    difference = environment_diff(name, base, head)
    if not difference.rendered or base is None:
        return Proof(difference, ())
    sides = [{key_of(item, it.namespace) for item in it.manifests} for it in (base, head)]
    changed = {change.key for change in difference.changes}
    return Proof(difference, tuple(sorted(map(str, sides[0] & sides[1] - changed))))
