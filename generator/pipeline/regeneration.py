"""What `generate` would change in a repository, as one plan that the service can commit."""

from __future__ import annotations

from collections.abc import Iterable

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem
from generator.definition import lock_file
from generator.pipeline.generate import Generation
from generator.tree import catalogue, plan
from generator.tree.catalogue import Catalogue
from generator.tree.editor_schemas import SCHEMAS
from generator.tree.plan import Plan

__all__ = ["Plan", "other_versions", "repository_drift", "wanted"]


def wanted(generation: Generation, names: Iterable[str], skipped: Iterable[str]) -> Plan:
    """One plan for these environments and the repository, without what cannot be generated.

    The schemas for editors are left alone: which gen-env wrote them is not known.
    """
    left_out = {*generation.failed, *skipped} - {""}
    chosen = {*names, ""} - left_out
    found = generation.plan_of(*chosen)
    kept = sorted(path for path in found.writes if not path.startswith(f"{SCHEMAS}/"))
    return Plan({path: found.writes[path] for path in kept}, tuple(sorted(found.removals)))


def repository_drift(generation: Generation, files: Files) -> tuple[Problem, ...]:
    """What is wrong with files of the repository as a whole, and where they are out of date."""
    whole = generation.outcome("")
    problems = whole.problems if whole else ()
    return (*problems, *plan.drift(files, generation.plan_of(""), ""))


def other_versions(files: Files, found: Catalogue, names: Iterable[str]) -> dict[str, str]:
    """Environments whose tree another version of gen-env made, and which.

    An environment whose lock cannot be read is left out; `generate` reports it.
    """
    versions: dict[str, str] = {}
    for name in names:
        item = found.definitions.get(name)
        try:
            lock = catalogue.lock(files, item) if item else None
        except UserError:
            continue
        if lock is not None and lock.gen_env and lock.gen_env != lock_file.version():
            versions[name] = lock.gen_env
    return versions
