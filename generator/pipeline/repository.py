"""A repository of environments as the service reads it: where things are, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from generator.core.errors import UserError
from generator.definition.definition import ROOT, SETTINGS, load_settings
from generator.definition.lock_file import NEWER
from generator.engine import argocd_reach, flux_reach
from generator.model.repository import Repository
from generator.tree.catalogue import Catalogue, load
from generator.tree.editor_schemas import SCHEMAS
from generator.tree.plan import MISSING, OUT_OF_DATE, STALE, UNREADABLE
from generator.tree.tree import BOOTSTRAP

__all__ = [
    "NEWER", "PARTS", "ROOT", "SCHEMAS", "SETTINGS", "TREE_RULES", "UNREADABLE", "Catalogue",
    "Repository", "load", "more_paths", "settings",
]  # fmt: skip

PARTS = (ROOT, SETTINGS, BOOTSTRAP, SCHEMAS)
"""Folders and files at the top of a repository that are gen-env's."""
TREE_RULES = frozenset({OUT_OF_DATE.id, MISSING.id, STALE.id})
"""Rules about generated files that another version of gen-env would write in another way."""


def settings(text: bytes) -> Repository:
    """The settings in a gen-env.yaml; raises UserError with the line of the first problem."""
    loaded, problems = load_settings(text)
    if loaded is None:
        first = problems[0]
        raise UserError.of(first)
    return loaded.repository


def more_paths(repository: Repository | None, changed: Iterable[str] = ()) -> tuple[str, ...]:
    """What is read beside PARTS: the vendored chart, custom resource definitions, certificates, and
    files that steer the engines, those among the `changed` that Flux applies beside gen-env's."""
    if repository is None:
        return ()
    paths = {item.sealing.certificate for item in repository.clusters.values()}
    paths |= {repository.crds}
    if repository.chart.source == "vendored":
        paths |= {repository.chart.path}
    paths |= {*argocd_reach.control_files(repository), *argocd_reach.AT_TOP}
    paths |= {*flux_reach.paths(repository)}
    paths |= {path for path in changed if flux_reach.is_beside(path, repository)}
    return tuple(sorted(path.strip("/") for path in paths if path))
