"""The definitions that the references take examples from: the samples and the golden trees."""

import functools
from pathlib import Path

from generator.core.files import WorkTree
from generator.pipeline import generate
from generator.tree import catalogue

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def catalogues():
    """What gen-env reads in each repository, the samples first."""
    places = (ROOT, *sorted(path.parent for path in ROOT.glob("tests/golden/*/gen-env.yaml")))
    return tuple((files, catalogue.load(files)) for files in map(WorkTree, places))


def settings():
    """The chart values that each definition decides."""
    for files, found in catalogues():
        for item in found.definitions.values():
            yield generate.build(files, found.settings, item).release.settings


def written(kind):
    """The data of each definition (`environment`), or of each gen-env.yaml (`repository`)."""
    from generator.yaml import reader
    from generator.yaml.scalars import as_json_types

    for files, found in catalogues():
        names = [f"environments/{name}/environment.yaml" for name in found.definitions]
        for path in ["gen-env.yaml"] if kind == "repository" else names:
            yield as_json_types(reader.read(files.read(path), path).data)
