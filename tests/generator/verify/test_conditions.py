"""Each state of each condition, brought about: what docs/verification.md says of it can happen."""

import copy

import pytest

from generator.verify import conditions
from generator.verify.result import failed
from generator.verify.verdict import decide
from tests.generator.verify.scene import (
    DIGEST,
    OLD,
    OURS,
    Scene,
    airflow,
    at,
    crash_loop,
    expected,
    meta,
    migration_job,
    operation,
    pod,
    ready,
    rendered,
    restarted,
)

OTHER = "sha256:" + "b" * 64


def job(name="airflow-create-user", *, hook="", **status):
    """A second Job of the chart; as a hook where that is given."""
    found = migration_job()
    found["metadata"] = meta(name, creationTimestamp=at(12))
    if hook:
        found["metadata"]["annotations"] = {"argocd.argoproj.io/hook": hook}
    return {**found, "status": status} if status else found


def scaler(kind="HorizontalPodAutoscaler", **spec):
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "airflow-scheduler"}}
    version = "keda.sh/v1alpha1" if kind == "ScaledObject" else "autoscaling/v2"
    found = {"apiVersion": version, "kind": kind, "metadata": meta("airflow-scheduler")}
    return {**found, "spec": {**target, **spec}}


class Case:
    """The scene and what is rendered; `change` may change both."""

    def __init__(self):
        self.scene = Scene()
        self.rendered = list(rendered())

    def condition(self, name, **changes):
        fields = {"manifests": tuple(self.rendered), **changes}
        verdict = decide(expected(**fields), self.scene.look(50))
        return next(item for item in verdict.conditions if item.name == name)

    @property
    def scheduler(self):
        return self.scene.workloads["scheduler"]

    def replicas(self, live, wanted=1):
        """Somebody scaled it: the controller has done what it was told."""
        self.rendered[0]["spec"]["replicas"] = wanted
        self.scheduler["spec"]["replicas"] = live
        for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"):
            self.scheduler["status"][name] = live

    def autoscaled(self, item, live):
        self.replicas(live)
        del self.rendered[0]["spec"]["replicas"]
        self.rendered.append(item)

    def container(self, status, of="scheduler"):
        self.scene.pods[of]["status"]["containerStatuses"] = [status]

    def init(self, status):
        self.scene.pods["scheduler"]["status"]["initContainerStatuses"] = [status]

    def with_job(self, *, hook="", live=True, **status):
        self.rendered.append(job(hook=hook))
        if live:
            self.scene.jobs["user"] = job(hook=hook, **status)

    def result(self, phase, name="airflow-create-user"):
        item = {"kind": "Job", "name": name, "hookType": "PostSync", "hookPhase": phase}
        self.scene.status["operationState"] = operation(
            "Succeeded", OURS, started=10, finished=40, results=[{**item, "message": "backoff"}]
        )

    def ignore(self, **rule):
        rule = {"group": "apps", "kind": "Deployment", **rule}
        self.scene.application["spec"]["ignoreDifferences"] = [rule]

    def dig(self, digest, of="scheduler"):
        for status in self.scene.pods[of]["status"]["containerStatuses"]:
            status["imageID"] = f"docker-pullable://registry.example.com/airflow@{digest}"

    def pin(self):
        for manifest in (self.rendered[0], self.scheduler):
            self._pin(manifest["spec"]["template"])
        self._pin(self.scene.pods["scheduler"])

    @staticmethod
    def _pin(template):
        for container in template["spec"]["containers"]:
            container["image"] = f"registry.example.com/airflow@{DIGEST}"


def deleting(case):
    case.scene.application["metadata"]["deletionTimestamp"] = at(45)


def without(name):
    def change(case):
        setattr(case.scene, name, {} if name != "application" else None)

    return change


def at_revision(commit):
    return lambda case: case.scene.status["sync"].update(revisions=["1.22.0", commit])


def phase(value):
    return lambda case: case.scene.status["operationState"].update(phase=value, message="x")


def of_status(key, **fields):
    def change(case):
        group, _, name = key.partition(".")
        getattr(case.scene, group)[name]["status"].update(fields)

    return change


def refuse_scaling(case):
    state = {"type": "Ready", "status": "False", "reason": "ScaledObjectCheckFailed"}
    case.scene.scaled["worker"]["status"]["conditions"] = [state]


def pause_scaling(case):
    annotations = {"autoscaling.keda.sh/paused-replicas": "0"}
    case.scene.scaled["worker"]["metadata"]["annotations"] = annotations


def switched_off(case):
    case.autoscaled(scaler(minReplicas=2), 0)
    case.scene.autoscalers["x"] = ready(scaler(minReplicas=2))
    case.scene.autoscalers["x"]["status"] = {
        "conditions": [
            {"type": "AbleToScale", "status": "True", "reason": "SucceededGetScale"},
            {"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled"},
        ]
    }


def partitioned(case):
    live = case.scene.workloads["triggerer"]
    live["spec"]["updateStrategy"] = {"rollingUpdate": {"partition": 1}}
    live["status"].update(updatedReplicas=0)


def unscheduled(case):
    words = "0/3 nodes are available: 3 Insufficient memory."
    state = {"type": "PodScheduled", "status": "False", "message": words}
    case.scene.pods["scheduler"]["status"] = {"phase": "Pending", "conditions": [state]}


def no_scheduler(case):
    case.scene.pods = {"triggerer": case.scene.pods["triggerer"]}
    case.scheduler["status"].update(readyReplicas=0)


def old_revision(case):
    case.scene.pods["triggerer"]["metadata"]["labels"]["controller-revision-hash"] = "r1"


def evicted(case):
    gone = pod("scheduler", suffix="gone")
    ended = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": at(35)}
    gone["status"] = {"phase": "Failed", "reason": "Evicted", "conditions": [ended]}
    case.scene.pods["gone"] = gone


def down(reason):
    return lambda case: case.container(
        {**crash_loop(restarts=7), "state": {"waiting": {"reason": reason}}}
    )


def sidecar(case):
    case.init({**restarted("git-sync", restarts=1, ended=40, reason="Error", code=1)})


def waited(case):
    """The database came up after the second try."""
    status = restarted("wait-for-airflow-migrations", restarts=2, ended=40, reason="Error", code=1)
    case.init({**status, "state": {"terminated": {"exitCode": 0, "finishedAt": at(45)}}})


def old_restart(case):
    case.container(restarted(restarts=9, ended=-560))


def unfinished_waiter(case):
    case.init(crash_loop("wait-for-airflow-migrations"))


def hidden(live, *pointers, **rule):
    def change(case):
        case.ignore(jsonPointers=list(pointers), **rule)
        case.scheduler["spec"].update(live)

    return change


def two_digests(case):
    case.dig(OTHER)


def loaded(case):
    """An image that was loaded into the node has no digest of a registry."""
    case.pin()
    for status in case.scene.pods["scheduler"]["status"]["containerStatuses"]:
        status["imageID"] = OTHER


def silent_sidecar(case):
    """A container beside another one whose digest is known."""
    own = {"name": "git-sync", "image": "registry.example.com/git-sync:4"}
    for manifest in (case.rendered[0], case.scheduler):
        manifest["spec"]["template"]["spec"]["containers"].append(own)
    case.scene.pods["scheduler"]["spec"]["containers"].append(own)


def another_replica_set(case):
    left = copy.deepcopy(case.scene.pods["scheduler"])
    left["metadata"]["name"] = "airflow-scheduler-old"
    left["metadata"]["labels"]["pod-template-hash"] = "old"
    left["metadata"]["ownerReferences"][0]["name"] = "airflow-scheduler-old"
    left["spec"]["containers"][0]["image"] = "registry.example.com/airflow:1"
    case.scene.pods["left"] = left


def pinned(digest):
    def change(case):
        case.pin()
        case.dig(digest)

    return change


def unsealed(value):
    return of_status("sealed.connections", conditions=[{"type": "Synced", "status": value}])


def age(second):
    return lambda case: case.scene.secrets.update({"airflow-connections": second})


def beat(second):
    return lambda case: setattr(case.scene, "airflow", airflow(second))


def not_migrated(case):
    case.scene.jobs["migration"]["status"]["conditions"] = []
    for name in case.scene.pods:
        case.scene.pods[name]["status"]["initContainerStatuses"] = []


def nothing(case):
    pass


FAILED_JOB = {
    "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
}
CASES = [
    ("application", "met", nothing, "the one of the commit"),
    ("application", "waiting", without("application"), "not found"),
    ("application", "failed", deleting, "being deleted"),
    ("revision", "met", nothing, "compared with the commit"),
    ("revision", "waiting", at_revision(OLD), "does not contain"),
    ("operation", "met", nothing, "the sync succeeded"),
    ("operation", "waiting", phase("Running"), "the sync is running"),
    ("operation", "failed", phase("Failed"), "the sync failed"),
    (
        "operation",
        "failed",
        lambda case: case.result("Failed"),
        "succeeded, but Job/airflow-create",
    ),
    ("settled", "met", nothing, "reconciled again"),
    ("settled", "waiting", lambda case: case.scene.status.update(reconciledAt=at(35)), "before"),
    ("synced", "met", nothing, "every object is as rendered"),
    ("synced", "met", hidden({}, "/spec/replicas"), "ignores in part: Deployment/airflow-sched"),
    ("synced", "met", hidden({"replicas": 5}, "/spec/replicas"), "ignores in part"),
    ("synced", "met", hidden({"paused": False}, "/spec/paused"), "every object is as rendered"),
    ("synced", "met", hidden({"replicas": 0}, "/spec/paused"), "every object is as rendered"),
    ("synced", "met", hidden({"replicas": 0}, "/spec/replicas", name="x"), "every object"),
    (
        "synced",
        "waiting",
        hidden({"replicas": 0}, "/spec/replicas"),
        "airflow-scheduler: spec.repl",
    ),
    ("synced", "waiting", hidden({"replicas": 0}, "/spec"), "airflow-scheduler: spec.replicas"),
    (
        "synced",
        "waiting",
        hidden({"replicas": 0}, jqPathExpressions=[".spec.replicas"], kind="*"),
        "ignoreDifferences hides",
    ),
    (
        "synced",
        "waiting",
        lambda case: case.scene.status["sync"].update(status="OutOfSync"),
        "OutOfSync",
    ),
    ("workloads", "met", nothing, "3 of 3"),
    ("workloads", "waiting", partitioned, "1 of 1 pods are old: rollingUpdate.partition 1"),
    ("workloads", "failed", lambda case: case.scheduler["spec"].update(paused=True), "paused"),
    ("replicas", "met", nothing, "every workload asks"),
    ("replicas", "met", lambda case: case.replicas(0, 0), "not seen running: airflow-scheduler"),
    ("replicas", "waiting", lambda case: case.replicas(0, 1), "0 replicas, rendered are 1"),
    (
        "replicas",
        "waiting",
        lambda case: case.autoscaled(scaler("ScaledObject", minReplicaCount=2), 1),
        "the minimum of ScaledObject airflow-scheduler is 2",
    ),
    ("replicas", "failed", switched_off, "the minimum of HorizontalPodAutoscaler"),
    ("pods", "met", nothing, "its ready pods"),
    ("pods", "waiting", unscheduled, "Insufficient memory"),
    ("pods", "waiting", no_scheduler, "airflow-scheduler: 0 of 1 pods are ready"),
    ("pods", "waiting", another_replica_set, "still running: pod airflow-scheduler-old"),
    ("pods", "waiting", old_revision, "airflow-triggerer: 0 of 1 pods are ready"),
    ("restarts", "met", nothing, "no container was restarted"),
    ("restarts", "met", old_restart, "no container was"),
    ("restarts", "waiting", evicted, "pod airflow-scheduler-gone: Evicted"),
    ("restarts", "waiting", sidecar, "container git-sync ended with exit code 1"),
    ("restarts", "waiting", waited, "ended with exit code 1 and was restarted 2 times"),
    ("restarts", "waiting", unfinished_waiter, "wait-for-airflow-migrations"),
    (
        "restarts",
        "waiting",
        lambda case: case.container(restarted(ended=40)),
        "container scheduler ended with exit code 137 (OOMKilled) and was restarted once",
    ),
    ("restarts", "failed", down("CrashLoopBackOff"), "restarted 7 times"),
    (
        "restarts",
        "failed",
        lambda case: case.container(restarted(restarts=7, ended=-100, ran=200)),
        "(OOMKilled) and was restarted 7 times",
    ),
    ("images", "met", nothing, "every image runs as one digest"),
    ("images", "met", two_digests, f"{OTHER} (pod airflow-scheduler-x)"),
    ("images", "met", pinned(DIGEST), "one digest"),
    ("images", "met", loaded, "the digest is not known of container scheduler of pod"),
    ("images", "met", silent_sidecar, "is not known of container git-sync of pod"),
    ("images", "waiting", pinned(OTHER), f"container scheduler runs {OTHER}, not {DIGEST}"),
    ("migration", "met", nothing, "is complete"),
    ("migration", "waiting", not_migrated, "running: 1 of 1"),
    ("migration", "failed", of_status("jobs.migration", **FAILED_JOB), "BackoffLimitExceeded"),
    (
        "jobs",
        "met",
        lambda case: case.with_job(conditions=[{"type": "Complete", "status": "True"}]),
        "complete: airflow-create-user",
    ),
    ("jobs", "met", lambda case: case.with_job(hook="PostSync", live=False), "end not seen"),
    ("jobs", "waiting", lambda case: case.with_job(failed=3), "3 tries failed"),
    ("jobs", "waiting", lambda case: case.with_job(live=False), "not found in the cluster"),
    ("jobs", "failed", lambda case: case.with_job(**FAILED_JOB), "BackoffLimitExceeded"),
    ("airflow", "met", nothing, "healthy"),
    ("airflow", "waiting", beat(23), "since pod airflow-"),
    ("secrets", "met", nothing, "1 of 1 unsealed"),
    ("secrets", "waiting", without("sealed"), "not found in the cluster"),
    ("secrets", "failed", unsealed("False"), "cannot be unsealed"),
    ("fresh-pods", "met", nothing, "present Secrets"),
    ("fresh-pods", "failed", age(30), "is older than SealedSecret"),
    ("storage", "met", nothing, "1 of 1 bound"),
    ("storage", "waiting", of_status("claims.dags", phase="Pending"), "waiting for a volume"),
    ("storage", "failed", of_status("claims.dags", phase="Lost"), "no longer exists"),
    ("autoscaling", "met", nothing, "1 of 1 ready"),
    ("autoscaling", "waiting", pause_scaling, "paused"),
    ("autoscaling", "waiting", switched_off, "ScalingDisabled"),
    ("autoscaling", "failed", refuse_scaling, "ScaledObjectCheckFailed"),
]


@pytest.mark.parametrize(
    ("name", "state", "change", "words"), CASES, ids=[f"{it[0]}-{it[1]}-{it[3]}" for it in CASES]
)
def test_a_condition_takes_the_state_that_the_objects_give_it(name, state, change, words):
    case = Case()
    change(case)
    found = case.condition(name)
    assert (found.state.value, words in found.message) == (state, True), found


ELSEWHERE = {
    ("fresh-pods", "waiting"),
    ("settled", "failed"),
    *(("manifests", it) for it in ("met", "waiting", "failed")),
}
"""Brought about in test_objects.py, in test_flux.py, and with kinds that verification comes to
follow."""


def test_pods_that_were_not_read_are_not_known():
    case = Case()
    case.scene.pods = {}
    assert case.condition("pods").state == "unknown"


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("ConfigMap", "unknown", "does not read: ConfigMap/x"),
        ("Secret", "met", "not read: Secret/x"),
    ],
)
def test_an_ignored_object_that_is_not_read_is_not_called_equal(kind, state, words):
    case = Case()
    case.rendered.append({"kind": kind, "metadata": meta("x"), "data": {"a": "b"}})
    case.ignore(group="", kind=kind, jsonPointers=["/data"])
    found = case.condition("synced")
    assert (found.state.value, words in found.message) == (state, True), found
    case.ignore(group="", kind=kind, jsonPointers=["/metadata/labels"])
    assert case.condition("synced").message == "every object is as rendered"


def test_every_documented_state_is_brought_about():
    documented = {
        (spec.name, state)
        for spec in conditions.ALL
        for state in ("met", "waiting", "failed")
        if getattr(spec, state)
    }
    assert {(name, state) for name, state, *_ in CASES} | ELSEWHERE == documented


def test_a_condition_cannot_take_a_state_that_is_not_documented():
    for name in ("synced", "nowhere"):
        with pytest.raises(ValueError, match="never failed"):
            failed(name, "x")
