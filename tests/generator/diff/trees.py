"""The manifests of the golden cases as one tree, and ways to change one place in it."""

from __future__ import annotations

import copy

import yaml

from tests.golden_cases import NAMES, ROOT


def everything():
    """Every object of every base, each case in a namespace of its own."""
    manifests = []
    for name in NAMES:
        for path in sorted((ROOT / name / "base").glob("*.yaml")):
            for manifest in yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader):
                manifest.setdefault("metadata", {}).setdefault("namespace", name)
                manifests.append(manifest)
    return manifests


def places(value, path=()):
    """Every path in a nested value, branches and leaves."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def replaced(value, path, new):
    result = copy.deepcopy(value)
    at(result, path[:-1])[path[-1]] = new
    return result


def removed(value, path):
    result = copy.deepcopy(value)
    del at(result, path[:-1])[path[-1]]
    return result
