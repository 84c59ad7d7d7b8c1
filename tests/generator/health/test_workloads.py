import pytest

from generator import health
from tests.generator.health.objects import cond, obj, reports


def deployment(*, spec=None, generation=2, **status):
    return obj(
        "apps/v1",
        "Deployment",
        spec={"replicas": 2, **(spec or {})},
        status={"observedGeneration": 2, **status},
        generation=generation,
    )


ROLLED_OUT = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("manifest", "status", "words"),
    [
        (deployment(**ROLLED_OUT), "Healthy", "2 of 2"),
        (deployment(**ROLLED_OUT, generation=3), "Progressing", "current spec"),
        (
            deployment(**{**ROLLED_OUT, "updatedReplicas": 1}),
            "Progressing",
            "1 of 2 replicas are new",
        ),
        (deployment(**{**ROLLED_OUT, "replicas": 3}), "Progressing", "1 old replicas"),
        (deployment(**{**ROLLED_OUT, "availableReplicas": 1}), "Progressing", "1 of 2 new"),
        (deployment(spec={"paused": True}, **ROLLED_OUT), "Suspended", "kubectl rollout resume"),
        (deployment(spec={"replicas": 0}), "Healthy", "0 of 0"),
        (
            deployment(
                spec={"progressDeadlineSeconds": 120},
                **ROLLED_OUT,
                conditions=[cond("Progressing", "False", "ProgressDeadlineExceeded")],
            ),
            "Degraded",
            "no progress for 120 s",
        ),
        (
            deployment(
                replicas=0,
                conditions=[cond("ReplicaFailure", "True", "FailedCreate", "quota: cpu")],
            ),
            "Progressing",
            "FailedCreate: quota: cpu",
        ),
        (obj("apps/v1", "Deployment", spec={}), "Progressing", "0 of 1"),
    ],
)
def test_a_deployment_is_healthy_only_when_rolled_out(manifest, status, words):
    verdict = health.assess(manifest)
    assert (verdict.status, words in verdict.message) == (status, True), verdict


def stateful(*, strategy=None, generation=1, **status):
    return obj(
        "apps/v1",
        "StatefulSet",
        spec={"replicas": 3, "updateStrategy": strategy or {"type": "RollingUpdate"}},
        status={"observedGeneration": 1, "currentRevision": "a", "updateRevision": "a", **status},
        generation=generation,
    )


def rolling(partition=0):
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


@pytest.mark.parametrize(
    ("manifest", "status", "words"),
    [
        (stateful(readyReplicas=3), "Healthy", "ready at a"),
        (stateful(readyReplicas=3, updateRevision="b"), "Progressing", "are at b"),
        (stateful(readyReplicas=2), "Progressing", "2 of 3 pods are ready"),
        (stateful(readyReplicas=3, generation=2), "Progressing", "current spec"),
        (stateful(readyReplicas=3, observedGeneration=0), "Progressing", "current spec"),
        (stateful(readyReplicas=3, updatedReplicas=1, strategy=rolling()), "Progressing", "1 of 3"),
        (stateful(readyReplicas=3, updatedReplicas=3, strategy=rolling()), "Healthy", "3 of them"),
        (stateful(readyReplicas=3, updatedReplicas=1, strategy=rolling(2)), "Healthy", "1 of them"),
        (
            stateful(readyReplicas=3, updateRevision="b", strategy={"type": "OnDelete"}),
            "Healthy",
            "when deleted",
        ),
        (obj("apps/v1", "StatefulSet", spec={"replicas": 1}), "Progressing", "current spec"),
    ],
)
def test_a_stateful_set_is_healthy_when_every_pod_is_ready_and_new(manifest, status, words):
    verdict = health.assess(manifest)
    assert (verdict.status, words in verdict.message) == (status, True), verdict


def daemon(*, strategy="RollingUpdate", generation=1, **status):
    return obj(
        "apps/v1",
        "DaemonSet",
        spec={"updateStrategy": {"type": strategy}},
        status={"observedGeneration": 1, "desiredNumberScheduled": 4, **status},
        generation=generation,
    )


@pytest.mark.parametrize(
    ("manifest", "status"),
    [
        (daemon(updatedNumberScheduled=4, numberAvailable=4), "Healthy"),
        (daemon(updatedNumberScheduled=3, numberAvailable=4), "Progressing"),
        (daemon(updatedNumberScheduled=4, numberAvailable=3), "Progressing"),
        (daemon(updatedNumberScheduled=4, numberAvailable=4, generation=2), "Progressing"),
        (daemon(updatedNumberScheduled=0, strategy="OnDelete"), "Healthy"),
        (obj("apps/v1", "DaemonSet", spec={}), "Progressing"),
    ],
)
def test_a_daemon_set_runs_the_new_pod_on_every_node(manifest, status):
    assert health.assess(manifest).status == status


def replica_set(*conditions, available, generation=1):
    return obj(
        "apps/v1",
        "ReplicaSet",
        spec={"replicas": 2},
        status=reports(*conditions, observedGeneration=1, availableReplicas=available),
        generation=generation,
    )


@pytest.mark.parametrize(
    ("manifest", "status", "words"),
    [
        (replica_set(available=2), "Healthy", "2 of 2"),
        (replica_set(available=1), "Progressing", "1 of 2"),
        (replica_set(available=2, generation=2), "Progressing", "current spec"),
        (
            replica_set(
                cond("ReplicaFailure", "True", "FailedCreate", "exceeded quota: compute"),
                available=0,
            ),
            "Degraded",
            "exceeded quota: compute",
        ),
    ],
)
def test_a_replica_set_that_is_refused_pods_is_degraded(manifest, status, words):
    verdict = health.assess(manifest)
    assert (verdict.status, words in verdict.message) == (status, True), verdict
