"""Statuses of a HelmRelease on a real API server, as the stand-in for helm-controller wrote them.

`tests/cluster/test_helm_controller.py` records them and holds them to what is written there.
"""

import json
from pathlib import Path

import pytest

from generator.verify.result import Outcome
from tests.generator.verify.test_flux import Flux, messages, played, states

RECORDED = json.loads((Path(__file__).parent / "recorded_flux.json").read_text("utf-8"))


def judged(name):
    """The verdict where everything else is as it should be."""
    scene, status = Flux(), RECORDED[name]
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    scene.application["metadata"]["generation"] = ready["observedGeneration"]
    scene.application["status"] = status
    scene.application["spec"]["driftDetection"] = {"mode": "warn"}
    manifest = {**scene.application, "spec": scene.application["spec"]}
    return played(scene, 100, 170, chart_version="0.1.0", application_manifest=manifest)


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("ready", Outcome.VERIFIED, {"operation": "Helm deployed", "synced": "verify reads"}),
        ("drift corrected", Outcome.VERIFIED, {"synced": "not drifted when Flux last compared"}),
        ("drifted", Outcome.PENDING, {"synced": "ConfigMap/airflow-staging/a changed"}),
        ("source not ready", Outcome.PENDING, {"operation": "is not ready"}),
        ("in progress", Outcome.PENDING, {"operation": "Running 'install' action"}),
        ("failed, to be tried again", Outcome.PENDING, {"operation": "failed once, and is tried"}),
        ("failed twice, to be tried again", Outcome.FAILED, {"operation": "failed 2 times"}),
        ("rolled back, to be tried again", Outcome.FAILED, {"operation": "was remediated"}),
        ("rolled back, retries exceeded", Outcome.FAILED, {"operation": "was remediated"}),
        ("uninstalled, to be tried again", Outcome.FAILED, {"operation": "was remediated"}),
        ("install failed, retries exceeded", Outcome.FAILED, {"operation": "install failed"}),
    ],
)
def test_a_recorded_status_is_judged_by_what_it_says(name, outcome, words):
    verdict = judged(name)
    assert verdict.outcome is outcome, (verdict.message, states(verdict))
    for condition, text in words.items():
        assert text in messages(verdict)[condition]


def test_every_recorded_status_is_judged():
    marks = test_a_recorded_status_is_judged_by_what_it_says.pytestmark
    (cases,) = (mark.args[1] for mark in marks if mark.name == "parametrize")
    assert {name for name, *_ in cases} == RECORDED.keys() - {"suspended"}
