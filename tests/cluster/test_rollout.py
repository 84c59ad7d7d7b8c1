"""Workloads that real controllers roll out, judged by `verify`; pods as kwok has them fare."""

import copy
import dataclasses

import pytest

from generator.cluster import Cluster
from generator.core.basis import NOTHING
from generator.engine import deployment
from generator.verify.diagnosis import wanted_logs
from generator.verify.expectation import expectation
from generator.verify.live_feed import LiveFeed
from generator.verify.result import Outcome, State
from generator.verify.rollout import assess_workloads
from generator.verify.snapshot import written
from generator.verify.verdict import decide
from generator.verify.watch import utc_now
from tests.cluster import process
from tests.cluster.controllers import LAST_WORDS
from tests.cluster.plane import ADMIN
from tests.cluster.samples import NAMES, ensure_namespace, moved, placed

pytestmark = pytest.mark.nightly

COMMIT = "1" * 40
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@pytest.fixture(scope="module")
def cluster(bed, tmp_path_factory):
    config = bed.kubeconfig(tmp_path_factory.mktemp("config") / "config", token=ADMIN)
    found = Cluster.connect("plane", kubeconfig=str(config))
    yield found
    found.close()


@pytest.fixture
def space(bed, samples):
    """Puts a sample into a namespace of its own, which goes when the test ends.

    Called with the sample's name and a change to its objects; gives namespace and objects.
    """
    made = []

    def put(sample, change=list, quota=None):
        home, manifests = samples[sample]
        namespace = f"{home}-{len(_USED)}"
        _USED.append(namespace)
        made.append(namespace)
        manifests = change(moved(copy.deepcopy(manifests), home, namespace))
        manifests = [item for item in manifests if item["kind"] != "Namespace"]
        for name in ("argocd", namespace):
            ensure_namespace(bed, name)
        if quota:
            limit_pods(bed, namespace, quota)
        for manifest in manifests:
            bed.apply(placed(manifest, namespace))
        return expected_of(sample, manifests)

    yield put
    for namespace in made:
        bed.call("DELETE", f"/api/v1/namespaces/{namespace}")


_USED = []


def limit_pods(bed, namespace, count):
    """A quota, once the controller has counted for it."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few-pods", "namespace": namespace},
        "spec": {"hard": {"pods": str(count)}},
    }
    bed.apply(quota)
    process.until(
        lambda: bed.get(bed.path(quota)).get("status", {}).get("hard"), "the quota counted"
    )


def expected_of(name, manifests):
    application = next(item for item in manifests if item["kind"] == "Application")
    return expectation(
        environment=name,
        revision=COMMIT,
        deployed=deployment.of([application]),
        manifests=[item for item in manifests if item is not application],
        basis=NOTHING,
        is_ancestor=lambda older, newer: older == newer,
    )


def nobody(url):
    raise ConnectionRefusedError(url)


def settled(cluster, expected, done):
    """The first verdict from live watches that `done` takes, with the condition on workloads.

    The condition is judged apart, since nobody reconciled anything here: in the verdict a failure
    would be one from before the commit.
    """
    with LiveFeed(expected, cluster, cluster, get=nobody) as feed:

        def look():
            snapshot = feed.snapshot(utc_now())
            verdict, workloads = decide(expected, snapshot), assess_workloads(expected, snapshot)
            return (verdict, workloads) if done(verdict, workloads) else None

        return process.until(look, "the verdict")


def holding(verdict, *names):
    return all(it.holds for it in verdict.conditions if it.name in names)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_environment_comes_up_and_its_conditions_hold(cluster, space, name):
    expected = space(name)
    verdict, _ = settled(
        cluster,
        expected,
        lambda verdict, _: holding(verdict, "workloads", "migration", "storage"),
    )
    assert verdict.outcome is Outcome.PENDING  # nobody reconciled it
    found = {(it.key.kind, it.key.name): it.health.status for it in verdict.resources}
    rendered = {(key.kind, key.name) for key, _ in expected.of_kind(*WORKLOADS)}
    assert rendered
    assert {found[key].value for key in rendered} == {"Healthy"}
    assert not [cause for cause in verdict.causes if cause.resource.startswith("Pod/")]


def of_scheduler(change):
    """The objects with the scheduler's pod changed."""

    def apply(manifests):
        for manifest in manifests:
            if (
                manifest["metadata"]["name"] == "airflow-scheduler"
                and manifest["kind"] in WORKLOADS
            ):
                change(manifest["spec"]["template"]["spec"]["containers"][0])
        return manifests

    return apply


def with_image(suffix):
    return of_scheduler(lambda container: container.update(image=container["image"] + suffix))


def with_cpu(amount):
    requests = {"requests": {"cpu": amount}, "limits": {"cpu": amount}}
    return of_scheduler(lambda container: container.update(resources=requests))


@pytest.mark.parametrize(
    ("change", "state", "reason", "words"),
    [
        (with_image("-missing"), State.FAILED, "ImagePullBackOff", "manifest unknown"),
        (with_image("-crashing"), State.FAILED, "CrashLoopBackOff", "exit code 1"),
        (with_cpu("99"), State.WAITING, "Unschedulable", "Insufficient cpu"),
    ],
    ids=["image", "crash", "room"],
)
def test_what_keeps_a_pod_from_running_is_diagnosed(cluster, space, change, state, reason, words):
    verdict, workloads = settled(
        cluster,
        space("dev", change),
        lambda verdict, workloads: (
            workloads.state is state
            and holding(verdict, "migration")
            and any(cause.reason == reason for cause in verdict.causes)
        ),
    )
    (cause,) = [it for it in verdict.causes if it.reason == reason]
    assert words in cause.message
    assert cause.resource.startswith("Pod/airflow-scheduler")
    assert "airflow-scheduler" in workloads.message


def test_the_last_words_of_a_crashing_container_are_told(cluster, space):
    expected = dataclasses.replace(space("dev", with_image("-crashing")), failure_seconds=2.0)
    with LiveFeed(expected, cluster, cluster, get=nobody) as feed:

        def look():
            found = feed.logs(wanted_logs(feed.snapshot(utc_now())))
            return list(found.values())

        assert process.until(look, "a log") == [LAST_WORDS]


def test_a_quota_that_refuses_pods_is_named(cluster, space):
    verdict, _ = settled(
        cluster,
        space("dev", quota=1),
        lambda verdict, workloads: (
            workloads.state is State.FAILED
            and any(cause.resource.startswith("Deployment/") for cause in verdict.causes)
        ),
    )
    told = [it.message for it in verdict.causes if it.resource.startswith("Deployment/")]
    assert all("exceeded quota: few-pods" in words for words in told)


def scheduler_pod(bed, namespace):
    found = bed.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=component=scheduler")
    return found["items"][0]


def kill(bed, pod, *, times, at):
    """The first container ends, out of memory, and runs again at once, as a kubelet reports it."""
    first, *others = pod["status"]["containerStatuses"]
    ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": at, "finishedAt": at}
    running = {"running": {"startedAt": at}}
    killed = {**first, "restartCount": times, "state": running, "lastState": {"terminated": ended}}
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
    bed.merge_patch(path, {"status": {"containerStatuses": [killed, *others]}})


def test_a_container_that_is_killed_and_runs_again_is_seen_in_the_settle_window(
    cluster, space, bed
):
    expected = space("dev")
    settled(cluster, expected, lambda verdict, _: holding(verdict, "workloads", "pods", "restarts"))
    pod = scheduler_pod(bed, expected.namespace)
    for times in (1, 2):
        kill(bed, pod, times=times, at=written(utc_now()))
        verdict, workloads = settled(
            cluster,
            expected,
            lambda verdict, _: any(it.reason == "OOMKilled" for it in verdict.causes),
        )
        assert workloads.holds, "to the Deployment it was available all the time"
        assert not holding(verdict, "restarts")
        (cause,) = [it for it in verdict.causes if it.reason == "OOMKilled"]
        assert cause.resource == f"Pod/{pod['metadata']['name']}"
        assert "container scheduler ended with exit code 137" in cause.message


def test_pods_taken_away_by_hand_are_missed_although_nothing_is_unavailable(cluster, space, bed):
    expected = space("dev")
    settled(cluster, expected, lambda verdict, _: holding(verdict, "workloads", "replicas"))
    kind, name = next(
        (key.kind, key.name) for key, _ in expected.of_kind("Deployment", "StatefulSet")
        if key.name == "airflow-scheduler"
    )  # fmt: skip
    path = f"/apis/apps/v1/namespaces/{expected.namespace}/{kind.lower()}s/{name}"
    bed.merge_patch(path, {"spec": {"replicas": 0}})
    verdict, _ = settled(
        cluster,
        expected,
        lambda verdict, workloads: workloads.holds and not holding(verdict, "replicas"),
    )
    (replicas,) = [it for it in verdict.conditions if it.name == "replicas"]
    assert f"{name}: 0 replicas, rendered are 1" in replicas.message
