"""The objects that all environments share, such as AppProjects, against their CRDs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from generator.core.problem import NotDone, Problem
from generator.lint.objects import crd_schema
from generator.pipeline.generate import Generation
from generator.tree import tree
from generator.yaml.manifests import load_manifests


def problems(generation: Generation, crds: Path | None) -> tuple[list[Problem], list[NotDone]]:
    """What their custom resource definitions refuse, at the file, and which are not at hand."""
    settings = generation.catalogue.settings
    if settings is None:
        return [], []
    releases = [item.release for item in generation.built.values() if item.release is not None]
    known = crd_schema.load_definitions(crds) if crds else None
    found: list[Problem] = []
    undone: dict[NotDone, None] = {}
    deployed = generation.catalogue.deployed.values()
    for path, text in tree.bootstrap(settings.repository, releases, deployed).items():
        if path.endswith(".yaml"):
            checked = crd_schema.check_against(load_manifests(text, path=path), known)
            found += (dataclasses.replace(item, path=path) for item in checked.problems)
            undone |= dict.fromkeys(checked.not_done)
    return found, list(undone)
