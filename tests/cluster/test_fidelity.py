"""Predictions of `gen-env diff` for random changes come true on a real API server.

`python -m tests.cluster.fidelity` runs the same and writes docs/fidelity.md.
"""

import os
from pathlib import Path

import pytest

from tests.cluster import plane
from tests.cluster.conftest import define, require
from tests.cluster.fidelity import experiment

pytestmark = pytest.mark.nightly

COUNT = int(os.environ.get("GEN_ENV_FIDELITY_CHANGES", "20"))
SEED = int(os.environ.get("GEN_ENV_FIDELITY_SEED", "1"))


@pytest.fixture(scope="module", params=["argocd", "flux"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def empty_plane(engine, tmp_path_factory):
    """An API server of its own: what other tests applied would be part of the answer."""
    require("etcd", "kube-apiserver")
    with plane.running(tmp_path_factory.mktemp("fidelity")) as server:
        define(server)
        yield server


@pytest.fixture
def archive(request):
    """The official chart where it is at hand, else the stand-in."""
    try:
        return Path(request.getfixturevalue("official_chart"))
    except pytest.skip.Exception:
        return Path(request.getfixturevalue("own_chart"))


def test_what_diff_predicts_of_random_changes_happens(empty_plane, tmp_path, archive, engine):
    drawn = {"count": COUNT, "seed": SEED, "engine": engine}
    score = experiment.run(empty_plane, tmp_path, archive, **drawn)
    print(score.table())
    assert score.changes == COUNT
    assert score.below() == [], score.mismatches
