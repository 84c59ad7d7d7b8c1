"""Which environments a change can reach: by its paths, and by the defaults that it changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from generator.definition.definition import ROOT, SETTINGS, Definition, Settings
from generator.engine import argocd_reach, flux_reach
from generator.engine.argocd import GENERATED
from generator.tree.catalogue import Catalogue
from generator.tree.editor_schemas import SCHEMAS
from generator.tree.objects import access_of
from generator.tree.tree import BOOTSTRAP
from generator.yaml import edit


@dataclasses.dataclass(frozen=True, slots=True)
class Touched:
    """Environments by name, and whether files of the repository as a whole are touched."""

    environments: tuple[str, ...]
    repository: bool

    def __bool__(self) -> bool:
        return bool(self.environments or self.repository)


def find(
    paths: Iterable[str], before: Catalogue, after: Catalogue, everywhere: Iterable[str] = ()
) -> Touched:
    """What these changed paths reach; those in or below `everywhere` reach every environment."""
    changed = frozenset(paths)
    names = _names(before, after)
    if any(_inside(path, part) for path in changed for part in everywhere):
        return Touched(tuple(sorted(names)), repository=True)
    reached = {
        name for name in names if any(path.startswith(f"{ROOT}/{name}/") for path in changed)
    }
    reached |= names & set(map(access_of, changed))
    if SETTINGS in changed:
        reached |= _by_defaults(before, after)
    ours = (SETTINGS, BOOTSTRAP, SCHEMAS)
    whole = any(_inside(path, part) for path in changed for part in ours)
    steers = {*argocd_reach.AT_TOP, *filter(argocd_reach.is_control, changed)}
    whole = whole or not changed.isdisjoint(steers) or any(map(flux_reach.is_wide, changed))
    whole = whole or any(map(flux_reach.may_steer, changed))
    return Touched(tuple(sorted(reached)), whole or any(map(_is_generated, changed)))


def _names(before: Catalogue, after: Catalogue) -> set[str]:
    broken = {problem.environment for problem in (*before.problems, *after.problems)}
    return {*before.definitions, *after.definitions, *broken} - {""}


def _inside(path: str, part: str) -> bool:
    return bool(part) and (path == part or path.startswith(f"{part.rstrip('/')}/"))


def _is_generated(path: str) -> bool:
    return path.startswith(f"{ROOT}/") and f"/{GENERATED}/" in path


def _by_defaults(before: Catalogue, after: Catalogue) -> set[str]:
    return {
        name
        for name in {*before.definitions, *after.definitions}
        if not _alike(
            _layers(before.definitions.get(name), before.settings),
            _layers(after.definitions.get(name), after.settings),
        )
    }


def _layers(item: Definition | None, settings: Settings | None) -> list[Any]:
    """The defaults that reach a definition, from the widest to the narrowest."""
    if item is None or settings is None:
        return []
    chosen: tuple[tuple[Mapping[Any, Any], Any], ...] = (
        (settings.repository.defaults.tiers, item.tier),
        (settings.repository.defaults.clusters, item.part("destination", "cluster")),
        (settings.repository.defaults.teams, item.part("metadata", "team")),
    )
    return [layers.get(name) or {} for layers, name in chosen if isinstance(name, str)]


def _alike(before: list[Any], after: list[Any]) -> bool:
    return edit.alike(before, after)
