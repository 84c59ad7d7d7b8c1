"""Where a repository of gen-env stands in its git repository: at the top, or in a folder of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import SETTINGS, Settings

PLACE = Rule(
    "settings/place",
    Severity.ERROR,
    "repository.path does not match the folder of gen-env.yaml",
    "Argo CD reads paths from the top of the git repository.",
    "Argo CD",
)


def folder(root: Path) -> str | None:
    """The path from the top of the git repository to `root`, `` at the top; None outside of git."""
    place = root.resolve()
    for top in (place, *place.parents):
        # A folder in a clone, a file in a linked work tree or a submodule.
        if (top / ".git").exists():
            inside = place.relative_to(top).as_posix()
            return "" if inside == "." else inside
    return None


def problems(root: Path, settings: Settings | None) -> Iterator[Problem]:
    """A finding where gen-env.yaml says another folder than the one it stands in.

    Argo CD reads paths from the top of the git repository: a wrong one finds nothing, or the files
    of another environment.
    """
    actual = folder(root)
    if settings is None or actual is None:
        return
    said = settings.repository.repository.prefix.rstrip("/")
    if said == actual:
        return
    field = ("repository", "path")
    yield PLACE.problem(
        f"repository.path is {said or 'the top of the git repository'}, but {SETTINGS} is in "
        f"{actual or 'its top folder'}: Argo CD would not find the trees",
        path=SETTINGS,
        line=settings.document.line(field),
        hint=f"write repository.path: {actual}" if actual else "remove repository.path",
    )
