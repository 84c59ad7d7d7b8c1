"""Requests for the tiny chart, the engines that can run here, and the official chart's place."""

import os
import shutil

import pytest

from generator.chart.cache import ChartCache
from generator.release.v1.nondeterminism import PINS
from generator.render.engine import BinaryEngine, SdkEngine
from generator.render.nondeterminism import compare
from generator.render.request import RenderRequest

# airflow-1.22.0.tgz as released; other archives may bear the same name.
OFFICIAL = "sha256:1f7d1dfe3d58e2c54899950aba907a43625a18c8b6fb3c54760c21592129a5b6"
_CACHE = ChartCache.from_environment()
_HELM = os.environ.get("GEN_ENV_HELM") or "helm"

needs_helm = pytest.mark.skipif(
    shutil.which(_HELM) is None, reason="no helm binary: put one on PATH or set GEN_ENV_HELM"
)


def helm_binary():
    """The path of the helm binary that the tests may run."""
    return shutil.which(_HELM)


def official_chart():
    """The official archive's path, or a skip that says how to get it."""
    chart = _CACHE.find("airflow", "1.22.0", digest=OFFICIAL)
    if chart is None:
        pytest.skip(f"airflow 1.22.0 is not in {_CACHE.root}: gen-env chart add airflow-1.22.0.tgz")
    return chart.path


def request(chart, values=None, **changes):
    """A request with sensible defaults; the tiny chart's secret is pinned unless said otherwise."""
    given = {"staticKey": "fixed", **(values or {})}
    options = {
        "release": "airflow",
        "namespace": "team",
        "kube_version": "1.34.2",
        "api_versions": ("keda.sh/v1alpha1",),
    }
    return RenderRequest(chart=chart, values=given, **{**options, **changes})


def randomness(wanted):
    """The fields that differ between two renders of a request."""
    one, other = (SdkEngine().render(wanted) for _ in range(2))
    return compare(one, other, wanted.namespace, PINS)


def sdk(**options):
    return SdkEngine(**options)


def binary(**options):
    found = BinaryEngine.find(_HELM)
    return BinaryEngine(found.helm, **options)


ENGINES = [
    pytest.param(sdk, id="sdk"),
    pytest.param(binary, id="binary", marks=[pytest.mark.helm, needs_helm]),
]


def names(result):
    """`Kind/name` of every object, in the order they came."""
    return [f"{m['kind']}/{m['metadata']['name']}" for m in result.manifests]
