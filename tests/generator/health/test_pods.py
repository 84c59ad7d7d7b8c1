import datetime

import pytest

from generator import health
from tests.generator.health.objects import cond, obj

BACK_OFF = {
    "name": "main",
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x:1"'}},
}
RESTARTED = {
    "name": "main",
    "ready": False,
    "restartCount": 3,
    "state": {"running": {}},
    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
}


def pod(phase, *containers, policy="Always", init=(), annotations=None, **status):
    return obj(
        "v1",
        "Pod",
        spec={"restartPolicy": policy},
        status={
            "phase": phase,
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
            **status,
        },
        annotations=annotations or {},
    )


def ready(value):
    return [cond("Ready", value)]


IGNORED = {"argocd.argoproj.io/ignore-restart-policy": "true"}
HOOK = {"argocd.argoproj.io/hook": "Sync"}
FAILED_MAIN = {"name": "main", "state": {"terminated": {"reason": "Error", "exitCode": 2}}}


@pytest.mark.parametrize(
    ("manifest", "status", "words"),
    [
        (pod("Running", conditions=ready("True")), "Healthy", "ready"),
        (pod("Running", {"name": "main"}, conditions=ready("False")), "Progressing", "probe"),
        (
            pod("Running", RESTARTED, conditions=ready("False")),
            "Degraded",
            "OOMKilled exit code 137",
        ),
        (pod("Pending", BACK_OFF), "Degraded", 'Back-off pulling image "x:1"'),
        (pod("Pending", BACK_OFF, policy="OnFailure"), "Progressing", "ImagePullBackOff"),
        (pod("Pending", BACK_OFF, policy="Never", annotations=IGNORED), "Degraded", "main"),
        (
            pod("Pending", BACK_OFF, policy="Never", annotations={**IGNORED, **HOOK}),
            "Progressing",
            "ImagePullBackOff",
        ),
        (pod("Pending", init=[BACK_OFF]), "Progressing", "ImagePullBackOff"),
        (pod("Running", policy="Never", conditions=ready("True")), "Progressing", "finish"),
        (
            pod("Running", policy="Never", annotations=IGNORED, conditions=ready("True")),
            "Healthy",
            "ready",
        ),
        (pod("Succeeded", policy="Never"), "Healthy", "finished"),
        (
            pod("Failed", FAILED_MAIN, policy="Never"),
            "Degraded",
            "main failed with Error exit code 2",
        ),
        (pod("Failed", reason="Evicted", message="low on memory"), "Degraded", "Evicted: low on"),
        (pod("Unknown"), "Unknown", "node"),
        (obj("v1", "Pod", spec={}), "Progressing", "scheduler"),
    ],
)
def test_a_pod_is_judged_by_its_phase_restart_policy_and_containers(manifest, status, words):
    verdict = health.assess(manifest)
    assert (verdict.status, words in verdict.message) == (status, True), verdict


def test_an_unschedulable_pod_says_why_and_for_how_long():
    waiting = pod(
        "Pending",
        conditions=[
            cond("PodScheduled", "False", "Unschedulable", "0/3 nodes: 3 Insufficient cpu.")
        ],
    )
    waiting["metadata"]["creationTimestamp"] = "2026-01-05T10:00:00Z"
    now = datetime.datetime(2026, 1, 5, 10, 7, 30, tzinfo=datetime.UTC)

    assert health.assess(waiting, now=now) == health.Health(
        health.Status.PROGRESSING,
        "cannot be scheduled: Unschedulable: 0/3 nodes: 3 Insufficient cpu. (for 7 min)",
    )
    assert "min)" not in health.assess(waiting).message
