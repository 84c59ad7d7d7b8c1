"""Changed files that are none of the compared objects: definitions, settings, bootstrap, locks."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition.definition import ROOT
from generator.diff.model import Action
from generator.engine import argocd_reach, flux_reach
from generator.pipeline.repository import PARTS
from generator.pipeline.toolchain import vendored_path
from generator.report.model import FileChange


def changed_files(
    base: Files,
    head: Files,
    paths: Iterable[str],
    names: Collection[str],
    unrendered: Collection[str],
) -> tuple[FileChange, ...]:
    """What happens to those of these paths that are gen-env's and no compared objects.

    `names` are all environments, `unrendered` those of which no object is shown. A chart
    that the repository carries is gen-env's too.
    """
    charts = set(filter(None, map(vendored_path, (base, head))))
    found = []
    for path in sorted(path for path in paths if _is_ours(path, charts)):
        owner = _owner(path, names)
        inside = path.removeprefix(f"{ROOT}/{owner}/")
        if not owner or owner in unrendered or not inside.startswith(_COMPARED):
            found.append(FileChange(path, _action(base, head, path), owner))
    return tuple(found)


def _is_ours(path: str, charts: Collection[str]) -> bool:
    parts = (*PARTS, *argocd_reach.AT_TOP, *charts)
    inside = any(path == part or path.startswith(f"{part}/") for part in parts)
    return inside or argocd_reach.is_control(path) or flux_reach.is_wide(path)


_COMPARED = tuple(f"{folder}/" for folder in argocd_reach.CLOSED)


def _owner(path: str, names: Collection[str]) -> str:
    parts = path.split("/")
    if parts[0] != ROOT:
        return ""
    return next((name for end in (3, 2) if (name := "/".join(parts[1:end])) in names), "")


def _action(base: Files, head: Files, path: str) -> Action:
    if not _is_there(base, path):
        return Action.ADDED
    return Action.MODIFIED if _is_there(head, path) else Action.REMOVED


def _is_there(files: Files, path: str) -> bool:
    """Whether something stands there, read or not: a link or too large a file does too."""
    try:
        return files.read(path) is not None or any(files.entries(path))
    except UserError:
        return True
