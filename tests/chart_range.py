"""The archives of the official chart at hand, of whatever versions, for tests over all of them.

They are looked for in the chart cache and in `charts-range` beside it (GEN_ENV_CHART_RANGE names
another folder): `gen-env chart add` puts them there.
"""

import functools
import os
import re
from pathlib import Path

import pytest

from generator.chart import key_table
from generator.chart.chart import open_chart
from generator.chart.traits_reader import traits_of
from generator.chart.version import parse_version

# Found before the home folder is hidden.
_OWN = Path(os.environ.get("GEN_ENV_CHART_CACHE") or Path("~/.cache/gen-env/charts").expanduser())
_RANGE = Path(os.environ.get("GEN_ENV_CHART_RANGE") or _OWN.parent / "charts-range")
_NAME = re.compile(r"airflow-(\d+\.\d+\.\d+)-[0-9a-f]{64}\.tgz")

FACTS = os.environ.get("GEN_ENV_CHART_FACTS")
"""A folder with `keys.json` and `airflow-<version>/`, facts that somebody else took down."""

_PATHS = {
    match[1]: path
    for folder in (_OWN, _RANGE)
    for path in sorted(folder.glob("airflow-*.tgz"))
    if (match := _NAME.fullmatch(path.name))
}
VERSIONS = tuple(sorted(_PATHS, key=parse_version))
"""Oldest first."""

RELEASES = key_table.versions()
"""Every release of the chart, oldest first."""


def each_version(test=None, *, since="", few=2):
    """Run the test for every version, from one on; in `make test` for some of those at hand.

    A release that is not at hand is skipped by its name.
    """
    if test is None:
        return functools.partial(each_version, since=since, few=few)
    every = sorted({*VERSIONS, *RELEASES}, key=parse_version)
    names = [name for name in every if not since or parse_version(name) >= parse_version(since)]
    versions = pytest.mark.parametrize("version", [_parameter(name) for name in names])
    return pytest.mark.few(few)(versions(test))


def _parameter(version):
    missing = pytest.mark.skip(_missing(version))
    # In `make test` those at hand are chosen from; without any the skipped ones say so.
    marks = [] if version in _PATHS else [missing, *([pytest.mark.thorough] if VERSIONS else [])]
    return pytest.param(version, marks=marks)


def _missing(version):
    return f"needs chart {version}: gen-env chart add airflow-{version}.tgz"


@functools.cache
def archive(version):
    """The archive of a version; skips where it is not at hand."""
    if version not in _PATHS:
        pytest.skip(_missing(version))
    return open_chart(_PATHS[version])


@functools.cache
def traits(version):
    """The traits of a version, derived from its archive."""
    return traits_of(archive(version))
