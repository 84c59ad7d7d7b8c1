"""What a verdict names as not read, and that it is never `verified` then."""

import dataclasses

import pytest

from generator.cluster import kinds
from generator.core.basis import NOTHING, NotRead
from generator.health.status import Status
from generator.verify.result import Memory, Outcome, Verdict
from generator.verify.rollout import resources
from generator.verify.snapshot import Source
from generator.verify.subscriptions import subscriptions
from generator.verify.verdict import conclude, decide
from tests.generator.verify.scene import BASIS, START, Scene, at, expected, meta, rendered

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": meta("airflow-api-server")}
EXTERNAL = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret",
    "metadata": meta("airflow-database", generation=1),
    "spec": {"secretStoreRef": {"name": "vault"}},
}


def last_verdict(scene, promise=None):
    """The verdict after the settle window, with nothing changed in it."""
    promise = promise or expected()
    return decide(promise, scene.look(80), decide(promise, scene.look(40)))


def reads(scene, promise=None):
    return [(item.what, item.where) for item in last_verdict(scene, promise).basis.not_read]


def test_a_verdict_tells_by_which_versions_the_commit_was_rendered():
    verdict = last_verdict(Scene())
    assert verdict.outcome is Outcome.VERIFIED
    assert verdict.as_json()["basis"] == BASIS.as_json()
    assert verdict.summary.endswith("(chart 1.22.0, Airflow 3.2.2, Kubernetes 1.34.2)")


@pytest.mark.parametrize("source", [item for item in Source if item is not Source.EVENTS], ids=str)
def test_nothing_is_verified_over_a_part_of_the_cluster_that_was_not_read(source):
    scene = Scene()
    scene.unavailable = {source: "403: forbidden"}
    verdict = last_verdict(scene)
    hub = source in (Source.APPLICATION, Source.KUSTOMIZATIONS)
    where = "argocd" if hub else "data"
    assert NotRead(source.value, where, "403: forbidden") in verdict.basis.not_read
    assert conclude(verdict).outcome in (Outcome.UNKNOWN, Outcome.TIMED_OUT)


def test_a_verified_verdict_cannot_be_made_over_what_was_not_read():
    basis = NOTHING.without([NotRead("pods", "data")])
    memory = Memory(Outcome.VERIFIED, START)
    with pytest.raises(ValueError, match="not read: pods in data"):
        Verdict("staging", "", Outcome.VERIFIED, "healthy", (), (), (), memory, basis)
    made = Verdict("staging", "", Outcome.PENDING, "", (), (), (), memory, basis)
    with pytest.raises(ValueError, match="not read"):
        dataclasses.replace(made, outcome=Outcome.VERIFIED)


def test_pods_that_a_workload_counts_and_nobody_saw_are_named():
    scene = Scene()
    del scene.pods["scheduler"]
    assert reads(scene) == [("pods of Deployment airflow-scheduler", "data")]
    assert conclude(last_verdict(scene)).outcome in (Outcome.UNKNOWN, Outcome.TIMED_OUT)
    del scene.workloads["scheduler"]["status"]["readyReplicas"]
    assert reads(scene) == []


def test_a_pod_that_is_ending_was_read():
    scene = Scene()
    scene.pods["scheduler"]["metadata"]["deletionTimestamp"] = at(60)
    assert reads(scene) == []
    assert "0 of 1 pods are ready" in last_verdict(scene).message


def test_an_object_of_another_kind_is_read_by_argo_cd_or_named():
    scene, promise = Scene(), expected(manifests=(*rendered(), SERVICE))
    assert reads(scene, promise) == [("Service airflow-api-server", "data")]
    listed = {"kind": "Service", "name": "airflow-api-server", "status": "Synced"}
    scene.status["resources"] = [listed]
    assert last_verdict(scene, promise).outcome is Outcome.VERIFIED
    listed["group"] = "serving.knative.dev"
    assert last_verdict(scene, promise).outcome is not Outcome.VERIFIED


def test_how_a_hook_ended_is_told_by_the_operation():
    hook = {**SERVICE, "metadata": meta("probe", annotations={"helm.sh/hook": "pre-install"})}
    assert reads(Scene(), expected(manifests=(*rendered(), hook))) == []


@pytest.mark.parametrize(
    ("status", "state", "health"),
    [
        (None, "waiting", Status.MISSING),
        ("True", "met", Status.HEALTHY),
        ("False", "failed", Status.DEGRADED),
    ],
)
def test_an_external_secret_is_followed(status, state, health):
    scene, promise = Scene(), expected(manifests=(*rendered(), EXTERNAL))
    if status is not None:
        condition = {"type": "Ready", "status": status, "message": "cannot read from the store"}
        scene.sealed["database"] = {**EXTERNAL, "status": {"conditions": [condition]}}
    found = {item.name: item.state for item in last_verdict(scene, promise).conditions}
    assert found["manifests"] == state
    shown = {item.key.kind: item.health.status for item in resources(promise, scene.look(80))}
    assert shown["ExternalSecret"] is health
    read = {(item.resource.kind, item.source) for item in subscriptions(promise, None, None)}
    assert ("ExternalSecret", Source.MANIFESTS) in read
    assert (kinds.PODS.kind, Source.PODS) in read


def test_a_secret_whose_age_nothing_tells_is_named_beside_the_fresh_ones():
    objects = rendered()
    own = objects[1]["spec"]["template"]["spec"]["containers"][0]
    own["envFrom"] = [{"secretRef": {"name": "airflow-database"}}]
    promise = expected(manifests=objects)
    fresh = {item.name: item.message for item in last_verdict(Scene(), promise).conditions}
    assert fresh["fresh-pods"].endswith("not compared, as their age is not known: airflow-database")
